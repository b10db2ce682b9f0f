"""Connect publishers and viewers within this process.

The database holds what must not be lost; a message here only saves waiting. A viewer that is too
slow loses its subscription and does not delay the others: it reconnects and gets a replay. A relay
carries messages between processes (`events/relay.py`).
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from pydantic_core import to_json

from reflector.events.names import UserEventName

QUEUE_LIMIT = 1000


def transcript_channel(transcript_id: str) -> str:
    return f"ts:{transcript_id}"


def user_channel(user_id: str) -> str:
    return f"user:{user_id}"


@dataclass(frozen=True)
class Message:
    """An event for viewers. `id` is the number of the stored event, None if it is not stored."""

    name: str
    data: dict[str, Any]
    id: int | None = None

    @cached_property
    def text(self) -> str:
        """The message as JSON. `seq` is an extra, which clients of the reference ignore."""
        body: dict[str, Any] = {"event": self.name, "data": self.data}
        if self.id is not None:
            body["seq"] = self.id
        return to_json(body).decode()


class Gap:
    """Sent instead of a message if some may have been missed; the database knows which."""


GAP = Gap()
Item = Message | Gap | None


class Subscription:
    """One viewer on one event loop: `await next()` until it returns None (cut off)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._queue: asyncio.Queue[Item] = asyncio.Queue(QUEUE_LIMIT)
        self._closed = False

    def put(self, item: Item) -> None:
        """Queue an item, or cut the viewer off if its queue is full. Call it on the event loop."""
        if self._closed:
            return
        if self._queue.full():
            self._closed = True
            while not self._queue.empty():
                self._queue.get_nowait()
            self._queue.put_nowait(None)
        else:
            self._queue.put_nowait(item)

    async def next(self) -> Item:
        return await self._queue.get()


class Relay(Protocol):
    """Carry messages between processes."""

    def publish(self, channel: str, text: str) -> None:
        """Publish `text`. Never raises: viewers find lost messages in the database."""

    def close(self) -> None: ...


Listener = Callable[[str, Message], None]


class Bus:
    """Connect publishers and viewers. Without a `relay`, both are in this process."""

    def __init__(self) -> None:
        self.relay: Relay | None = None
        self._lock = threading.Lock()
        self._subscriptions: dict[str, set[Subscription]] = defaultdict(set)
        self._listeners: list[Listener] = []

    def subscribe(self, channel: str) -> Subscription:
        """Subscribe to the messages of `channel`. Call it on the event loop that will read them."""
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
        """Send `message` to all viewers of `channel`. Safe to call from any thread."""
        for listener in self._listeners:
            listener(channel, message)
        if self.relay is None:
            self.deliver(channel, message)
        else:
            self.relay.publish(channel, message.text)

    def deliver(self, channel: str, message: Message) -> None:
        """Hand `message` to the viewers in this process."""
        if message.name == UserEventName.SIGNED_OUT:
            # Viewers of any transcript may have logged in with this account
            self.tell_gap()
            return
        with self._lock:
            subscriptions = list(self._subscriptions.get(channel, ()))
        _offer(subscriptions, message)

    def tell_gap(self) -> None:
        """Make every viewer check for missed messages after the relay was away."""
        with self._lock:
            everyone = [one for some in self._subscriptions.values() for one in some]
        _offer(everyone, GAP)


def _offer(subscriptions: list[Subscription], item: Item) -> None:
    """Queue `item` for all subscriptions, with a single call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        by_loop[subscription.loop].append(subscription)
    for loop, members in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_put_all, members, item)


def _put_all(members: list[Subscription], item: Item) -> None:
    for member in members:
        member.put(item)
