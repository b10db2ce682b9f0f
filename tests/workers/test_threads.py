"""A worker whose consumer or reconciler has ended does not look healthy."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.bootsteps import RUN

from reflector import worker as module
from reflector.pipeline.queue.broker import CeleryDispatcher, make_celery
from reflector.pipeline.step import Queue
from reflector.runtime import pulse
from reflector.services import Services
from reflector.worker import Worker
from tests.conftest import SERVERS
from tests.real.stack import Stack
from tests.waiting import wait_until


@pytest.fixture
def worker(services: Services) -> Worker:
    return Worker(services, CeleryDispatcher(make_celery(services.settings)), list(Queue), 1)


@pytest.mark.parametrize("part", ["_consume", "_reconcile"])
def test_part_that_ended_is_noticed(
    worker: Worker, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(worker, part, ended.wait)
    other = "_reconcile" if part == "_consume" else "_consume"
    monkeypatch.setattr(worker, other, threading.Event().wait)
    worker.start()
    assert worker.is_alive
    ended.set()
    wait_until(lambda: not worker.is_alive, "the end is noticed")


def test_watchdog_is_not_fed_while_nothing_is_consumed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reconciler fed it alone: a worker that took no messages looked healthy."""
    pats: list[int] = []

    class Watchdog:
        def pat(self) -> None:
            pats.append(1)

    looked = threading.Event()
    monkeypatch.setattr(module, "Watchdog", Watchdog)
    monkeypatch.setattr(module, "reconcile", lambda _: looked.set())
    monkeypatch.setattr(worker, "_consume", lambda: None)
    worker.start()
    wait_until(lambda: not worker.is_alive, "the consumer has ended")
    looked.clear()
    pats.clear()
    assert looked.wait(60)
    worker.stop()
    assert pats == []


@pytest.fixture
def on_a_broker(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """Takes messages from Valkey or Redis, and counts as hanging after a few seconds."""
    monkeypatch.setattr(pulse, "SILENT_SECONDS", 10.0)
    monkeypatch.setattr(module, "RECONCILE_SECONDS", 0.2)
    found = Worker(services, CeleryDispatcher(make_celery(services.settings)), list(Queue), 1)
    found.start()
    wait_until(lambda: loop_of(found) is not None, "it takes messages", 60)
    yield found
    found.stop()


def loop_of(worker: Worker) -> Any:
    consumer = getattr(worker._controller, "consumer", None)
    return consumer.hub if consumer is not None and consumer.blueprint.state == RUN else None


@pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
def test_consumer_that_hangs_is_noticed(on_a_broker: Worker) -> None:
    hung = threading.Event()
    assert on_a_broker.takes_messages
    loop_of(on_a_broker).call_soon(hung.wait)
    try:
        wait_until(lambda: not on_a_broker.takes_messages, "it is noticed", 60)
        assert on_a_broker.is_alive
    finally:
        hung.set()
    wait_until(lambda: on_a_broker.takes_messages, "it goes on", 60)


@pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
def test_broker_that_is_away_is_not_the_consumers_fault(on_a_broker: Worker, stack: Stack) -> None:
    since = time.monotonic()
    stack.redis.server.kill()
    try:
        wait_until(
            lambda: not on_a_broker.takes_messages or time.monotonic() - since > 20,
            "twice the time after which it counts as hanging", 60,
        )  # fmt: skip
        assert on_a_broker.takes_messages
    finally:
        stack.redis.server.start()
