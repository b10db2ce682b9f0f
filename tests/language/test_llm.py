"""Analysis by a language model: every prompt fits, nothing of the meeting is left out."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reflector.errors import LanguageError
from reflector.language.budget import count_tokens
from reflector.language.client import LanguageModel
from reflector.language.llm import LLMAnalyst, topic_count
from reflector.language.meeting import Meeting
from reflector.runtime.settings import Settings
from reflector.transcript.words import Word
from tests.doubles.language_server import GOOD, LanguageServer, language_server
from tests.waiting import wait_until


@pytest.fixture
def llm() -> Iterator[LanguageServer]:
    with language_server() as server:
        yield server


@pytest.fixture
def analyst(
    llm: LanguageServer, make_settings: Callable[..., Settings]
) -> Callable[..., LLMAnalyst]:
    def make(**settings: Any) -> LLMAnalyst:
        return LLMAnalyst(LanguageModel(make_settings(LLM_URL=llm.url, **settings)))

    return make


def long_meeting(minutes: int, letters: str = "w", punctuated: bool = True) -> Meeting:
    """Every word is there once, so that it can be looked for in the prompts."""
    words = []
    for index in range(minutes * 150):
        mark = "." if punctuated and index % 12 == 11 else ""
        words.append(
            Word(f" {letters}{index}{mark}", index * 0.4, index * 0.4 + 0.3, index // 60 % 3)
        )
    return Meeting(words, {0: "Anna"}, "en")


def said_words(meeting: Meeting) -> set[str]:
    return {word.text.strip() for word in meeting.words}


def ignore(_: float) -> None:
    return None


@pytest.mark.parametrize(
    ("letters", "punctuated"), [("w", True), ("w", False), ("слово", True), ("会議の言葉", False)]
)
def test_prompts_fit_a_small_window_and_hold_every_word(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst], letters: str, punctuated: bool
) -> None:
    window = 2048
    meeting = long_meeting(30, letters, punctuated)
    model = analyst(LLM_CONTEXT_WINDOW=window)
    topics = model.topics(meeting, ignore)
    model.title(meeting, topics)
    model.action_items(meeting)
    model.summary(meeting, topics)
    assert max(count_tokens(prompt) for prompt in llm.prompts()) < window
    for name in ("TopicAnswer", "ActionItems", "CondensedAnswer"):
        asked = [p for p, n in zip(llm.prompts(), llm.names(), strict=True) if n == name]
        assert said_words(meeting) <= set(" ".join(asked).split()), name


def test_topics_cover_all_words_once_and_in_order(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    meeting = long_meeting(60)
    topics = analyst().topics(meeting, ignore)
    assert topics[0].first == 0
    assert topics[-1].last == len(meeting.words)
    assert all(a.last == b.first for a, b in itertools.pairwise(topics))
    assert 2 <= len(topics) <= topic_count(60) + 1
    assert topics[0].title == "The Budget Question"


def test_no_more_questions_at_once_than_allowed(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    def with_company(name: str, request: dict[str, Any]) -> Any:
        wait_until(lambda: llm.most_at_once >= 2, "a second question")
        return GOOD[name]

    llm.answer = with_company
    analyst(LLM_CONTEXT_WINDOW=2048, LLM_CONCURRENCY=2).topics(long_meeting(30), ignore)
    assert llm.most_at_once == 2


def test_title_is_cleaned(llm: LanguageServer, analyst: Callable[..., LLMAnalyst]) -> None:
    meeting = long_meeting(2)
    model = analyst()
    assert model.title(meeting, model.topics(meeting, ignore)) == "Quarterly Planning of the Team"


def test_summary_has_the_layout_of_the_reference(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    summary = analyst().summary(long_meeting(2), [])
    assert summary.short == "The team planned the quarter."
    assert summary.long.startswith(
        "# Quick recap\n\nThe team planned the quarter.\n\n# Summary\n\n**Budget**\n"
    )


def test_equal_action_items_of_two_parts_are_one(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    items = analyst(LLM_CONTEXT_WINDOW=2048).action_items(long_meeting(30))
    assert llm.names().count("ActionItems") > 1
    assert [d.decision for d in items.decisions] == ["Approve the budget"]
    assert [n.task for n in items.next_steps] == ["Write the report"]


def test_model_that_does_not_condense_comes_to_an_end(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    def wordy(name: str, request: dict[str, Any]) -> Any:
        if name == "CondensedAnswer":
            return {"text": request["messages"][1]["content"]}
        return GOOD[name]

    llm.answer = wordy
    assert analyst(LLM_CONTEXT_WINDOW=2048).summary(long_meeting(10), []).short
    assert max(count_tokens(prompt) for prompt in llm.prompts()) < 2048


def test_template_too_long_for_the_window_is_said(
    llm: LanguageServer, analyst: Callable[..., LLMAnalyst]
) -> None:
    meeting = long_meeting(5)
    with pytest.raises(LanguageError, match="template is too long"):
        analyst(LLM_CONTEXT_WINDOW=2048).summary(meeting, [], "要約" * 1000)
    analyst(LLM_CONTEXT_WINDOW=16000).summary(meeting, [], "要約" * 1000)
    assert "要約" in llm.prompts()[-1]
