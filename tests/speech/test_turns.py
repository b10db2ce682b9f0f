"""Who gets the device next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from reflector.speech.scheduler import DeviceScheduler, Priority
from tests.waiting import wait_until


class Queue:
    """Threads that wait for the device one after another, and the order in which they got it."""

    def __init__(self) -> None:
        self.turns = DeviceScheduler()
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
    turns = DeviceScheduler()
    with pytest.raises(ZeroDivisionError), turns.turn():
        raise ZeroDivisionError
    with turns.turn():
        pass


class Sharing:
    """Threads whose works may be done together, and which works were."""

    def __init__(self, room: int = 4) -> None:
        self.turns = DeviceScheduler()
        self.batches: list[list[str]] = []
        self.answers: dict[str, str | Exception] = {}
        self._room = room
        self._threads: list[threading.Thread] = []

    def wait(
        self,
        name: str,
        kind: str = "same",
        size: int = 1,
        priority: Priority = Priority.BATCH,
        check: Callable[[], None] | None = None,
    ) -> threading.Thread:
        def take() -> None:
            try:
                self.answers[name] = self.turns.run_batched(
                    name, self._do, kind=kind, size=size, room=self._room,
                    priority=priority, check=check,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
                self.answers[name] = error

        before = sum(self.turns.waiting().values())
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        self._threads.append(thread)
        wait_until(lambda: sum(self.turns.waiting().values()) == before + 1, f"{name} waits")
        return thread

    def _do(self, works: Sequence[str]) -> list[str]:
        self.batches.append(list(works))
        if "broken" in works:
            raise ValueError("broken")
        return [work.upper() for work in works]

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)


def test_works_of_a_kind_share_a_turn_as_far_as_there_is_room() -> None:
    sharing = Sharing()
    with sharing.turns.turn():
        sharing.wait("a", size=2)
        sharing.wait("other", kind="other")
        sharing.wait("large", size=3)
        sharing.wait("b")
        sharing.wait("live", priority=Priority.LIVE)
    sharing.join()
    assert sharing.batches == [["live"], ["a", "b"], ["other"], ["large"]]
    assert sharing.answers == {name: name.upper() for name in ("a", "b", "live", "large", "other")}


def test_live_request_joins_others_but_nobody_joins_a_live_one() -> None:
    sharing = Sharing()
    with sharing.turns.turn():
        for name in ("l1", "l2", "l3", "l4"):
            sharing.wait(name, kind="same" if name == "l4" else name, priority=Priority.LIVE)
        sharing.wait("batch")
    sharing.join()
    assert sharing.batches == [["l1"], ["l2"], ["l3"], ["batch", "l4"]]


def test_failure_of_one_is_nobody_elses() -> None:
    sharing = Sharing()
    with sharing.turns.turn():
        for name in ("first", "broken", "last"):
            sharing.wait(name)
    sharing.join()
    assert sharing.batches[0] == ["first", "broken", "last"]
    assert sorted(sharing.batches[1:]) == [["broken"], ["first"], ["last"]]
    assert isinstance(sharing.answers.pop("broken"), ValueError)
    assert sharing.answers == {"first": "FIRST", "last": "LAST"}


def test_who_gives_up_while_a_shared_turn_fails_holds_nobody_up() -> None:
    sharing = Sharing()
    stop, done = threading.Event(), threading.Event()

    def check() -> None:
        if stop.is_set():
            raise TimeoutError

    def do(works: Sequence[str]) -> list[str]:
        if len(works) > 1:
            stop.set()
            leaver.join(10)
            raise ValueError("together it does not go")
        return list(works)

    def lead() -> None:
        sharing.turns.run_batched("leader", do, kind="same", size=1, room=4)
        done.set()

    with sharing.turns.turn():
        leader = threading.Thread(target=lead, daemon=True)
        leader.start()
        wait_until(lambda: sharing.turns.waiting()[Priority.BATCH] == 1, "the leader waits")
        leaver = sharing.wait("leaver", check=check)
    leader.join(10)
    assert done.is_set()
    assert isinstance(sharing.answers["leaver"], TimeoutError)
    with sharing.turns.turn():
        pass
