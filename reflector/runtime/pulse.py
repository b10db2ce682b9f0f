"""Detect whether the loop that takes messages still runs."""

from __future__ import annotations

import time
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Tasks

BEAT_SECONDS = 1.0
# Longer than Celery waits between two attempts to reach the broker (30 s)
SILENT_SECONDS = 60.0


class Pulse:
    """Record beats while the loop runs.

    With the in-memory broker, another thread keeps the time. So only a loop on a real broker can be
    seen to hang.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()

    def beat(self) -> None:
        self._last = time.monotonic()

    @property
    def is_there(self) -> bool:
        return time.monotonic() - self._last < SILENT_SECONDS

    def step(self) -> type[bootsteps.StartStopStep]:
        """Return the Celery consumer step that beats."""
        beat = self.beat

        class Beat(bootsteps.StartStopStep):  # type: ignore[misc]
            requires = (Tasks,)
            timer: Any = None

            def start(self, parent: Any) -> None:
                self.timer = parent.timer.call_repeatedly(BEAT_SECONDS, beat)

            def stop(self, parent: Any) -> None:
                if self.timer is not None:
                    self.timer.cancel()
                    self.timer = None

        return Beat
