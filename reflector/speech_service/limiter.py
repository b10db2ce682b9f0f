"""Limit how many requests run at once, and cancel those whose client has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from prometheus_client import Counter, Gauge

from reflector.errors import Unavailable

Result = TypeVar("Result")
Check = Callable[[], None]
"""Raises `Cancelled` if nobody waits for the result any more."""

active = Gauge("reflector_speech_requests", "Requests that are being worked on")
refused = Counter("reflector_speech_refused", "Requests refused because there were too many")
cancelled = Counter("reflector_speech_cancelled", "Requests whose clients went away")


class Connection(Protocol):
    """Tells when a client has disconnected (ASGI, `http.disconnect`)."""

    @property
    def receive(self) -> Callable[[], Awaitable[MutableMapping[str, Any]]]: ...


class Cancelled(Exception):
    """Ends work that nobody waits for."""


class RealtimeSlots:
    """Count the realtime sessions of this process, at most `most`. Used on the event loop."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0

    def take(self) -> bool:
        """Return whether there was a slot."""
        if self._taken >= self.most:
            refused.inc()
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        self._taken -= 1


class RequestLimiter:
    """Limit how many requests run at once. Further ones get Unavailable and may retry."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._active = 0
        self._threads = ThreadPoolExecutor(limit, thread_name_prefix="speech")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot from before the recording is received until the answer.

        Raises Unavailable if none is free.
        """
        if self._active >= self._limit:
            refused.inc()
            raise Unavailable(
                f"{self._limit} requests are being worked on already. Try again in a moment."
            )
        self._active += 1
        active.inc()
        try:
            yield
        finally:
            self._active -= 1
            active.dec()

    async def run(self, client: Connection, work: Callable[[Check], Result]) -> Result:
        """Return what `work` returns, run in a thread.

        If the client disconnects, `work` is stopped by its `check`, which raises Cancelled.
        """
        stop = threading.Event()

        def check() -> None:
            if stop.is_set():
                raise Cancelled

        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._threads, work, check)
        watching = asyncio.ensure_future(_gone(client))
        try:
            both: set[asyncio.Future[Any]] = {working, watching}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                cancelled.inc()
            stop.set()
            return await working
        except asyncio.CancelledError:
            stop.set()
            raise
        finally:
            watching.cancel()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _gone(client: Connection) -> None:
    """Wait until the client has closed the connection."""
    while True:
        message = await client.receive()
        if message["type"] == "http.disconnect":
            return
