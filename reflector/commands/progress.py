"""Show a progress bar on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from reflector.events import Message
from reflector.events.names import EventName

# Approximate share of the time for each step; one bar covers all of them
SHARES = {"decode": 0.05, "transcribe": 0.6, "diarize": 0.3, "topics": 0.05}


class ProgressBar:
    """Show the progress of all steps as one bar, with the real-time factor so far."""

    def __init__(self, name: str, duration: float | None, speakers: bool) -> None:
        self._duration = duration
        used = {step: share for step, share in SHARES.items() if speakers or step != "diarize"}
        self._shares = {step: share / sum(used.values()) for step, share in used.items()}
        self._started = time.monotonic()
        self._fractions = dict.fromkeys(self._shares, 0.0)
        self._task: TaskID | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[factor]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._name = name

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        self._task = self._progress.add_task(self._name, total=1.0, factor="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None and error is None:
            self._progress.update(self._task, completed=1.0)
        self._progress.stop()

    def message(self, channel: str, message: Message) -> None:
        """Update the bar from a progress event; a listener for the bus."""
        if message.name != EventName.PROGRESS or self._task is None:
            return
        step = message.data["step"]
        if step in self._fractions:
            self._fractions[step] = message.data["fraction"]
            done = sum(self._shares[name] * value for name, value in self._fractions.items())
            self._progress.update(self._task, completed=done, factor=self._factor())

    def _factor(self) -> str:
        heard = self._fractions["transcribe"] * (self._duration or 0)
        return f"{(time.monotonic() - self._started) / heard:.2f} × real time" if heard else ""
