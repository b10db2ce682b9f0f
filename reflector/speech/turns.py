"""Who may use the device next: one batch of windows at a time, live requests first.

A batch takes some tenths of a second on a card and some seconds on a CPU; between two of them the
device changes hands. So a live request waits for one batch at most, and a long recording cannot
hold up a short one. Batch requests get every fourth turn while live ones wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

LIVE_IN_A_ROW = 3
LOOK_SECONDS = 0.2


class Priority(IntEnum):
    LIVE = 0
    BATCH = 1


class DeviceTurns:
    """A lock with two queues, each first come, first served."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Priority, list[object]] = {priority: [] for priority in Priority}
        self._held = False
        self._live_in_a_row = 0

    @contextmanager
    def turn(
        self, priority: Priority = Priority.BATCH, check: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Hold the device. `check` is called now and then while waiting, and may raise."""
        self._acquire(priority, check)
        try:
            yield
        finally:
            with self._changed:
                self._held = False
                self._changed.notify_all()

    def _acquire(self, priority: Priority, check: Callable[[], None] | None) -> None:
        ticket = object()
        with self._changed:
            self._waiting[priority].append(ticket)
            try:
                while self._held or self._next() is not ticket:
                    self._changed.wait(LOOK_SECONDS if check else None)
                    if check:
                        check()
            finally:
                # Also where `check` raised: nobody waits for who has gone
                self._waiting[priority].remove(ticket)
                self._changed.notify_all()
            self._held = True
            live = priority is Priority.LIVE
            self._live_in_a_row = self._live_in_a_row + 1 if live else 0

    def _next(self) -> object | None:
        live, batch = self._waiting[Priority.LIVE], self._waiting[Priority.BATCH]
        if live and not (batch and self._live_in_a_row >= LIVE_IN_A_ROW):
            return live[0]
        return batch[0] if batch else None

    def waiting(self) -> dict[Priority, int]:
        with self._changed:
            return {priority: len(tickets) for priority, tickets in self._waiting.items()}
