"""An event bus inside one process: worker threads publish, WebSockets subscribe.

The database holds what must not be lost; a message here only saves the wait. A viewer that does
not keep up loses its subscription, not the others' time: it connects again and gets a replay.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUEUE_LIMIT = 1000


@dataclass(frozen=True)
class Message:
    """`id` is the stored event's, None for one that is not stored."""

    name: str
    data: dict[str, Any]
    id: int | None = None

    def wire(self) -> dict[str, Any]:
        return {"event": self.name, "data": self.data}


class Subscription:
    """One viewer: `await next()` until it answers None (cut off)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(QUEUE_LIMIT)
        self._closed = False

    def offer(self, message: Message) -> None:
        """Called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: Message) -> None:
        if self._closed:
            return
        if self._queue.full():
            self._closed = True
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)
        else:
            self._queue.put_nowait(message)

    async def next(self) -> Message | None:
        return await self._queue.get()


Listener = Callable[[str, Message], None]


class Bus:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._listeners: list[Listener] = []

    def subscribe(self, channel: str) -> Subscription:
        """Messages of `channel` from now on; call on the event loop that will read them."""
        subscription = Subscription(asyncio.get_running_loop())
        with self._lock:
            self._subscriptions[channel].add(subscription)
        return subscription

    def unsubscribe(self, channel: str, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions[channel].discard(subscription)
            if not self._subscriptions[channel]:
                del self._subscriptions[channel]

    def listen(self, listener: Listener) -> None:
        """Call `listener(channel, message)` on the publisher's thread for every message."""
        self._listeners.append(listener)

    def publish(self, channel: str, message: Message) -> None:
        with self._lock:
            subscriptions = list(self._subscriptions.get(channel, ()))
        for subscription in subscriptions:
            subscription.offer(message)
        for listener in self._listeners:
            listener(channel, message)
