"""Schedule the device: one batch of windows at a time, live requests first.

A batch takes some tenths of a second on a card and some seconds on a CPU. The device can change
hands after each batch. So a live request waits for one batch at most, and a long recording cannot
hold up a short one. Batch requests get every fourth turn while live ones wait. The request whose
turn it is fills its batch with compatible windows of other requests.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, TypeVar

log = logging.getLogger(__name__)

LIVE_IN_A_ROW = 3
LOOK_SECONDS = 0.2

Work = TypeVar("Work")
Result = TypeVar("Result")


class Priority(IntEnum):
    LIVE = 0
    BATCH = 1


class _Ticket:
    """A request in the queue. Requests of the same `kind` may share a turn; None never shares."""

    def __init__(self, priority: Priority, kind: Hashable, size: int, work: Any) -> None:
        self.priority, self.kind, self.size, self.work = priority, kind, size, work
        self.results: list[Any] = []
        self.is_given_up = False

    def may_join(self, leader: _Ticket) -> bool:
        """Return whether this request may join the batch of `leader`.

        A live request waits for no windows of batch requests, but it may join their batch.
        """
        alike = self.kind is not None and self.kind == leader.kind
        return alike and self.priority <= leader.priority


class DeviceScheduler:
    """A lock with two queues, each first come, first served."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[Priority, list[_Ticket]] = {priority: [] for priority in Priority}
        self._held = False
        self._since = 0.0
        self._live_in_a_row = 0

    @contextmanager
    def turn(
        self, priority: Priority = Priority.BATCH, check: Callable[[], None] | None = None
    ) -> Iterator[None]:
        """Hold the device. `check` is called from time to time while waiting, and may raise."""
        self._acquire(_Ticket(priority, None, 0, None), check)
        try:
            yield
        finally:
            self._release()

    def run_batched(
        self,
        work: Work,
        do: Callable[[Sequence[Work]], Sequence[Result]],
        *,
        kind: Hashable,
        size: int,
        room: int,
        priority: Priority = Priority.BATCH,
        check: Callable[[], None] | None = None,
    ) -> Result:
        """Return what `do` returns for `work`.

        It runs in one turn together with waiting work of the same `kind`. Their total size is at
        most `room`. If `do` fails for several, each is run alone, so that none gets the error of
        another.
        """
        ticket = _Ticket(priority, kind, size, work)
        self._acquire(ticket, check)
        if ticket.results:
            return ticket.results[0]  # type: ignore[no-any-return]
        companions = self._companions(ticket, room)
        try:
            if companions:
                tickets = [ticket, *companions]
                try:
                    results = do([each.work for each in tickets])
                    for other, result in zip(tickets[1:], results[1:], strict=True):
                        other.results.append(result)
                    return results[0]
                except Exception:
                    # Each run alone shows whether the error was its own
                    log.debug("%d requests at once failed", len(tickets), exc_info=True)
                    self._put_back(companions)
            return do([work])[0]
        finally:
            # Even if something other than an error ended this thread
            self._put_back(companions)
            self._release()

    def _acquire(self, ticket: _Ticket, check: Callable[[], None] | None) -> None:
        """Wait for the ticket's turn, or until another request has computed its result."""
        with self._changed:
            queue = self._waiting[ticket.priority]
            queue.append(ticket)
            try:
                while not ticket.results and (self._held or self._next() is not ticket):
                    self._changed.wait(LOOK_SECONDS if check else None)
                    if check:
                        check()
            except BaseException:
                ticket.is_given_up = True
                raise
            finally:
                # Even if `check` raised: no one must wait for a ticket that is gone
                if ticket in queue:
                    queue.remove(ticket)
                self._changed.notify_all()
            if ticket.results:
                return
            self._held, self._since = True, time.monotonic()
            live = ticket.priority is Priority.LIVE
            self._live_in_a_row = self._live_in_a_row + 1 if live else 0

    def _companions(self, ticket: _Ticket, room: int) -> list[_Ticket]:
        """Take tickets that may join from the queues, live ones first."""
        taken = []
        with self._changed:
            room -= ticket.size
            for queue in self._waiting.values():
                for other in list(queue):
                    if other.may_join(ticket) and other.size <= room:
                        queue.remove(other)
                        taken.append(other)
                        room -= other.size
        return taken

    def _put_back(self, companions: list[_Ticket]) -> None:
        """Return tickets without a result to the head of their queues; they now run alone."""
        with self._changed:
            for other in reversed(companions):
                if not other.results and not other.is_given_up:
                    other.kind = None
                    self._waiting[other.priority].insert(0, other)
            companions.clear()
            self._changed.notify_all()

    def _release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def _next(self) -> _Ticket | None:
        live, batch = self._waiting[Priority.LIVE], self._waiting[Priority.BATCH]
        if live and not (batch and self._live_in_a_row >= LIVE_IN_A_ROW):
            return live[0]
        return batch[0] if batch else None

    @property
    def busy_seconds(self) -> float:
        """How long the device has been held; 0 if it is free."""
        with self._changed:
            return time.monotonic() - self._since if self._held else 0.0

    def waiting(self) -> dict[Priority, int]:
        with self._changed:
            return {priority: len(tickets) for priority, tickets in self._waiting.items()}
