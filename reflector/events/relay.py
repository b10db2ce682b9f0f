"""Carry events between processes: publish and subscribe on Redis or Valkey.

The channels are those of the reference: `ts:TRANSCRIPT` and `user:USER`. A process with viewers
subscribes to all of them on one connection, so viewers that come and go do not matter.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

import redis
from pydantic_core import from_json

from reflector.events.bus import Bus, Message

log = logging.getLogger(__name__)

PATTERNS = ("ts:*", "user:*")
CONNECT_SECONDS = 2
POLL_SECONDS = 0.25
RETRY_SECONDS = 0.5
PAUSE_SECONDS = 2.0
WORKER_KEY = "reflector:worker:"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class RedisRelay:
    """Implement `Relay`. Processes with viewers also call `listen()`."""

    def __init__(self, url: str, bus: Bus) -> None:
        self._bus = bus
        self._redis = redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
            health_check_interval=15,
        )
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._silent_until = 0.0
        self.connected = threading.Event()

    def publish(self, channel: str, text: str) -> None:
        # While the server is away, do not wait for a timeout with each message
        if time.monotonic() < self._silent_until:
            return
        try:
            self._redis.publish(channel, text)
        except redis.RedisError as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            log.warning("events do not reach other processes: %s", error)

    def listen(self) -> None:
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def ping(self) -> None:
        """Raise redis.RedisError if the server does not answer."""
        self._redis.ping()

    def report_worker(self, worker: str, queues: Iterable[str], seconds: int) -> bool:
        """Announce that `worker` serves `queues` for the next `seconds`; False if that failed."""
        try:
            self._redis.set(f"{WORKER_KEY}{worker}", " ".join(queues), ex=seconds)
        except redis.RedisError:
            return False
        return True

    def forget_worker(self, worker: str) -> None:
        with suppress(redis.RedisError):
            self._redis.delete(f"{WORKER_KEY}{worker}")

    def queues_served(self) -> set[str] | None:
        """Return the queues that some worker serves; None if that is unknown."""
        try:
            keys = list(self._redis.scan_iter(f"{WORKER_KEY}*"))
            values = self._redis.mget(keys) if keys else []
        except redis.RedisError:
            return None
        return {queue for value in values if value for queue in _text(value).split()}

    def _run(self) -> None:
        first = True
        while not self._stop.is_set():
            try:
                with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
                    pubsub.psubscribe(*PATTERNS)
                    self.connected.set()
                    if not first:
                        self._bus.tell_gap()
                    first = False
                    while not self._stop.is_set():
                        self._hand_on(pubsub.get_message(timeout=POLL_SECONDS))
            except (redis.RedisError, OSError) as error:
                self.connected.clear()
                first = False
                log.warning("the connection for events was lost (%s); trying again", error)
                self._stop.wait(RETRY_SECONDS)

    def _hand_on(self, received: dict[str, bytes] | None) -> None:
        if received is None:
            return
        try:
            body = from_json(received["data"])
            message = Message(body["event"], body["data"], body.get("seq"))
        except (ValueError, KeyError, TypeError):
            log.warning("not an event: %r", received)
            return
        self._bus.deliver(received["channel"].decode(), message)

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(POLL_SECONDS + CONNECT_SECONDS)
        self._redis.close()
