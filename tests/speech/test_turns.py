"""Who gets the device next."""

from __future__ import annotations

import threading

import pytest

from reflector.speech.turns import DeviceTurns, Priority
from tests.waiting import wait_until


class Queue:
    """Threads that wait for the device one after another, and the order in which they got it."""

    def __init__(self) -> None:
        self.turns = DeviceTurns()
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def wait(self, name: str, priority: Priority) -> None:
        before = sum(self.turns.waiting().values())
        thread = threading.Thread(target=self._take, args=(name, priority), daemon=True)
        thread.start()
        self._threads.append(thread)
        wait_until(lambda: sum(self.turns.waiting().values()) == before + 1, f"{name} waits")

    def _take(self, name: str, priority: Priority) -> None:
        with self.turns.turn(priority):
            self.order.append(name)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)


def test_live_goes_ahead_and_batch_is_not_starved() -> None:
    queue = Queue()
    with queue.turns.turn():
        for name in ("b1", "b2"):
            queue.wait(name, Priority.BATCH)
        for name in ("l1", "l2", "l3", "l4", "l5"):
            queue.wait(name, Priority.LIVE)
    queue.join()
    assert queue.order == ["l1", "l2", "l3", "b1", "l4", "l5", "b2"]


def test_who_gives_up_waiting_is_not_waited_for() -> None:
    queue = Queue()
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise TimeoutError

    def give_up() -> None:
        with pytest.raises(TimeoutError), queue.turns.turn(Priority.LIVE, check):
            raise AssertionError("the device was taken")

    leaver = threading.Thread(target=give_up, daemon=True)
    with queue.turns.turn():
        leaver.start()
        wait_until(lambda: queue.turns.waiting()[Priority.LIVE] == 1, "it waits")
        queue.wait("after", Priority.BATCH)
        stop.set()
        leaver.join(10)
        assert queue.turns.waiting()[Priority.LIVE] == 0
    queue.join()
    assert queue.order == ["after"]


def test_failure_in_a_turn_frees_the_device() -> None:
    turns = DeviceTurns()
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass
