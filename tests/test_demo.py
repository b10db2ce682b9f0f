"""`make demo ONCE=1`, less the installation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_demo_prints_the_meeting_and_ends() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "demo", "--port", "0", "--once"],
        capture_output=True, text=True, timeout=240, check=False,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    for expected in (
        "Good morning everyone.",
        "Topics",
        "Action items",
        "decided: We decided",
        "[02:0",
        "A recording, while it is spoken",
        "Speaker 0: Hello everyone",
    ):
        assert expected in result.stdout
    assert "The page: http://127.0.0.1:" in result.stdout
    assert "Traceback" not in result.stderr
