"""A hub of this process: who publishes and who watches.

The database holds what must not be lost; a message here only saves the wait. A viewer that does
not keep up loses its subscription, not the others' time: it connects again and gets a replay.
Between processes a relay carries the messages (`events/relay.py`).
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
    """`id` is the stored event's number, None for one that is not stored."""

    name: str
    data: dict[str, Any]
    id: int | None = None

    @cached_property
    def text(self) -> str:
        """As it is sent; `seq` is an extra, which clients of the reference ignore."""
        body: dict[str, Any] = {"event": self.name, "data": self.data}
        if self.id is not None:
            body["seq"] = self.id
        return to_json(body).decode()


class Gap:
    """Told instead of a message: some may have been missed, the database knows which."""


GAP = Gap()
Item = Message | Gap | None


class Subscription:
    """One viewer: `await next()` until it answers None (cut off). Lives on one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._queue: asyncio.Queue[Item] = asyncio.Queue(QUEUE_LIMIT)
        self._closed = False

    def put(self, item: Item) -> None:
        """Called on the loop."""
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
    """Carries messages between processes."""

    def publish(self, channel: str, text: str) -> None:
        """Never raises: a message that does not get through is found in the database."""

    def close(self) -> None: ...


Listener = Callable[[str, Message], None]


class Bus:
    """`relay` None: publishers and viewers are in this process."""

    def __init__(self) -> None:
        self.relay: Relay | None = None
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
        """Called from any thread."""
        for listener in self._listeners:
            listener(channel, message)
        if self.relay is None:
            self.deliver(channel, message)
        else:
            self.relay.publish(channel, message.text)

    def deliver(self, channel: str, message: Message) -> None:
        """Hand `message` to the viewers in this process."""
        if message.name == UserEventName.SIGNED_OUT:
            # Of any transcript's viewers some may have come with this account
            self.tell_gap()
            return
        with self._lock:
            subscriptions = list(self._subscriptions.get(channel, ()))
        _offer(subscriptions, message)

    def tell_gap(self) -> None:
        """Have every viewer look for what it missed while the relay was away."""
        with self._lock:
            everyone = [one for some in self._subscriptions.values() for one in some]
        _offer(everyone, GAP)


def _offer(subscriptions: list[Subscription], item: Item) -> None:
    """One call into each loop, however many of its viewers there are."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        by_loop[subscription.loop].append(subscription)
    for loop, members in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_put_all, members, item)


def _put_all(members: list[Subscription], item: Item) -> None:
    for member in members:
        member.put(item)
