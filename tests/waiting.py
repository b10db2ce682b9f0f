"""Waiting for a condition with a deadline, instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0


def wait_until(
    condition: Callable[[], Any],
    what: str,
    seconds: float = PATIENCE,
    otherwise: Callable[[], str] = lambda: "",
    every: float = 0.05,
) -> Any:
    """The first true value of `condition`, asked again until the deadline. `otherwise`: what more to tell then.

    `every`: seconds between two questions, for those that cost what is waited for its time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s {otherwise()}".rstrip())
