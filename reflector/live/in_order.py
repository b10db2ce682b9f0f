"""Do work beside the recogniser of a live recording, one thing after the other."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from reflector.db.engine import is_disconnect
from reflector.errors import Unavailable

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
RETRY_SECONDS = 5.0
# The rest waits in the recogniser's thread
MOST_WAITING = 1000

Item = TypeVar("Item")
Result = TypeVar("Result")


class InOrder(Generic[Item]):
    """Call `work` with each item, in their order, on a thread called `name`, until `stop` is set.

    An item that fails is logged, and the next has its turn.
    """

    def __init__(self, name: str, work: Callable[[Item], None], stop: threading.Event) -> None:
        self._name, self._work, self._stop = name, work, stop
        self._complete = threading.Event()
        self._waiting: queue.Queue[Item] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._waiting.put(item, timeout=LOOK_SECONDS)
                return

    def complete(self) -> None:
        """Say that no item comes any more: the thread ends after the last one."""
        self._complete.set()

    def retried(self, do: Callable[[], Result]) -> Result:
        """Return `do()`; wait for a database or model that is away, as long as items may come.

        Raises what `do` raises.
        """
        is_said = False
        while True:
            try:
                return do()
            except Exception as error:
                is_away = isinstance(error, Unavailable) or is_disconnect(error)
                if not is_away or self._complete.is_set() or self._stop.wait(RETRY_SECONDS):
                    raise
                if not is_said:
                    log.warning("%s waits: %s", self._name, error)
                is_said = True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._waiting.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self._complete.is_set():
                    return
                continue
            try:
                self._work(item)
            except Exception:
                log.exception("%s: something is left out", self._name)
