"""What programs under test inherit from the environment of the tests."""

from __future__ import annotations

import os

# The last two are how coverage.py measures the processes that the tests start
NAMES = ("PATH", "HOME", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def inherited(*left_out: str) -> dict[str, str]:
    """Return the variables that are inherited, except `left_out`. Settings are never inherited."""
    return {n: os.environ[n] for n in NAMES if n in os.environ and n not in left_out}
