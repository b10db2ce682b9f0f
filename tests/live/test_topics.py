"""Topics of a meeting that runs: found in the end, whatever is away for a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import DataError, OperationalError

from reflector.errors import LanguageError, Unavailable
from reflector.language.extractive import ExtractiveAnalyst
from reflector.language.meeting import Meeting, TopicDraft
from reflector.live import in_order
from reflector.live.in_order import InOrder
from reflector.live.lines import Line
from reflector.live.topics import MOST_WORDS, LiveTopic, TopicFinder
from reflector.transcript.words import Word
from tests.waiting import wait_until

WORDS = [Word(f" word{at}", at * 0.4, at * 0.4 + 0.3) for at in range(MOST_WORDS)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_order, "RETRY_SECONDS", 0.05)


class Answering(ExtractiveAnalyst):
    """Answers with `drafts`, after the errors in `fails`."""

    def __init__(self, drafts: list[TopicDraft], fails: Sequence[Exception] = ()) -> None:
        self.drafts, self.fails = drafts, list(fails)

    def topics(self, meeting: Meeting, progress: Any) -> list[TopicDraft]:
        if self.fails:
            raise self.fails.pop(0)
        return self.drafts


@contextmanager
def finding(
    analyst: Answering, keep: Callable[[LiveTopic, Sequence[Word]], None], words: list[Word]
) -> Iterator[TopicFinder]:
    stop = threading.Event()
    finder = TopicFinder(analyst, keep, stop, words)
    yield finder
    stop.set()


def test_model_and_database_that_are_away_delay_topics() -> None:
    first, second = TopicDraft(0, 225, "One", "a"), TopicDraft(225, 450, "Two", "b")
    analyst = Answering([first, second], [Unavailable("restarting")] * 2)
    kept: list[str] = []
    away = OperationalError("insert", {}, OSError(), connection_invalidated=True)
    failures = [away] * 3

    def keep(topic: LiveTopic, words: Sequence[Word]) -> None:
        if failures:
            raise failures.pop()
        kept.append(topic.title)

    with finding(analyst, keep, []) as finder:
        finder.add(WORDS, "en")
        wait_until(lambda: len(kept) == 2, "both topics")
    assert kept == ["One", "Two"]


def test_topic_that_the_database_never_takes_holds_up_no_other() -> None:
    analyst = Answering([TopicDraft(0, 400, "One", "a")])
    tries: list[float] = []

    def keep(topic: LiveTopic, words: Sequence[Word]) -> None:
        tries.append(topic.timestamp)
        raise DataError("insert", {}, ValueError())

    with finding(analyst, keep, []) as finder:
        finder.add(WORDS, "en")
        finder.add([word._replace(start=word.start + 500) for word in WORDS], "en")
        wait_until(lambda: len(tries) == 2, "the second topic")
    assert tries == [0.0, 500.0]


def test_question_that_is_refused_is_left_out_and_the_next_is_asked() -> None:
    analyst = Answering([TopicDraft(0, 400, "One", "a")], [LanguageError("no such model")])
    kept: list[float] = []
    with finding(analyst, lambda topic, _: kept.append(topic.timestamp), []) as finder:
        finder.add(WORDS, "en")
        finder.add([word._replace(start=word.start + 500) for word in WORDS], "en")
        wait_until(lambda: kept, "the second topic")
    assert kept == [500.0]


def test_words_of_the_thread_before_belong_to_the_next_topic() -> None:
    line = Line("They said that we should go home now.", 10.0, 14.0)
    assert [word.text for word in line.words][:2] == [" They", " said"]
    assert (line.words[0].start, line.words[-1].end) == (10.0, 14.0)
    analyst = Answering([TopicDraft(0, 400, "One", "a")])
    kept: list[float] = []
    with finding(analyst, lambda topic, _: kept.append(topic.timestamp), line.words) as finder:
        finder.add(WORDS[100:], "en")
        assert kept == []
        finder.add(WORDS, "en")
        wait_until(lambda: kept, "a topic")
    assert kept == [10.0]


def test_rest_that_is_too_short_for_a_topic_belongs_to_the_one_before() -> None:
    analyst = Answering([TopicDraft(0, 398, "One", "a"), TopicDraft(398, 450, "Two", "b")])
    kept: list[tuple[str, int]] = []
    with finding(
        analyst, lambda topic, words: kept.append((topic.title, len(words))), []
    ) as finder:
        finder.add(WORDS, "en")
        wait_until(lambda: kept, "a topic")
    assert kept == [("One", 450)]


def test_thread_that_was_stopped_takes_nothing_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_order, "MOST_WAITING", 1)
    stop, goes_on = threading.Event(), threading.Event()

    def wait(number: int) -> None:
        goes_on.wait(60)

    work = InOrder("slow", wait, stop)

    def put_all() -> None:
        for number in range(5):
            work.put(number)

    waiting = threading.Thread(target=put_all)
    waiting.start()
    stop.set()
    waiting.join(60)
    assert not waiting.is_alive()
    goes_on.set()
