"""Measure peak memory for the whole processing of a file: six hours beside ten minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.recordings import repeated
from tests.server import FIXTURES

LENGTHS = {"ten_minutes": 10.0, "six_hours": 360.0}
SPEECH = 0.2
GOAL_MB = 300


def measure() -> dict[str, Any]:
    result: dict[str, Any] = {"speech_share": SPEECH, "goal_difference_mb": GOAL_MB}
    with tempfile.TemporaryDirectory() as name:
        for label, minutes in LENGTHS.items():
            recording = repeated(Path(name) / f"{label}.flac", minutes, SPEECH)
            peak, seconds = _peak(recording)
            result[label] = {"peak_mb": round(peak), "seconds": round(seconds)}
    result["difference_mb"] = result["six_hours"]["peak_mb"] - result["ten_minutes"]["peak_mb"]
    return result


def _peak(recording: Path) -> tuple[float, float]:
    """Transcribe a file; return peak resident memory in MB, and seconds."""
    models = FIXTURES / "models"
    command = [
        sys.executable, "-m", "reflector", "transcribe", str(recording), "--language", "en",
        "--model", str(models / "whisper"), "--diarization-model", str(models / "diarizer"),
    ]  # fmt: skip
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"reflector transcribe ended with {process.returncode}")
    return usage.ru_maxrss / 1024, time.monotonic() - started
