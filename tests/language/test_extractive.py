"""Analysis without a language model."""

from __future__ import annotations

import itertools

import pytest

from reflector.language.budget import count_tokens, pack
from reflector.language.extractive import ExtractiveAnalyst, sentences
from reflector.language.lexical import boundaries, vectors
from reflector.language.meeting import Meeting, clean_title
from reflector.transcript.words import Word

BUDGET = [
    "The budget for marketing is too small.", "Our budget must grow by ten percent.",
    "Marketing needs money for the campaign.", "We decided to raise the marketing budget.",
    "The campaign costs more money than the budget has.", "Anna will send the budget on Monday.",
] * 2  # fmt: skip
SERVER = [
    "The server is slow since the update.", "A new database server would help.",
    "The update of the database failed on the server.", "Peter will install the server by Friday.",
    "The old server runs the backup.", "Please check the backup of the database.",
] * 2  # fmt: skip


def meeting(lines: list[str], language: str = "en") -> Meeting:
    words, at = [], 0.0
    for number, line in enumerate(lines):
        for part in line.split():
            words.append(Word(f" {part}", at, at + 0.3, number % 2))
            at += 0.4
    return Meeting(words, {0: "Anna"}, language)


def ignore(_: float) -> None:
    return None


def test_change_of_subject_is_found() -> None:
    cuts = boundaries(vectors(BUDGET + SERVER, "en"), 4, 1)
    assert cuts == [len(BUDGET)]


def test_topics_cover_the_meeting_and_name_their_subject() -> None:
    talk = meeting(BUDGET + SERVER)
    topics = ExtractiveAnalyst().topics(talk, ignore)
    assert topics[0].first == 0
    assert topics[-1].last == len(talk.words)
    assert all(a.last == b.first for a, b in itertools.pairwise(topics))
    assert "budget" in topics[0].title.lower() or "marketing" in topics[0].title.lower()
    assert "server" in topics[-1].title.lower() or "backup" in topics[-1].title.lower()


def test_summary_says_only_what_was_said() -> None:
    talk = meeting(BUDGET + SERVER)
    analyst = ExtractiveAnalyst()
    summary = analyst.summary(talk, analyst.topics(talk, ignore))
    said = {sentence.text for sentence in sentences(talk.words)}
    recap = [part if part.endswith(".") else part + "." for part in summary.short.split(". ")]
    assert set(recap) <= said
    assert summary.long.startswith("# Quick recap\n")


def test_decisions_and_tasks_with_owner_and_deadline() -> None:
    items = ExtractiveAnalyst().action_items(meeting(BUDGET + SERVER))
    assert items.decisions[0].decision == "We decided to raise the marketing budget."
    by_task = {step.task: step for step in items.next_steps}
    step = by_task["Peter will install the server by Friday."]
    assert (step.assigned_to, step.deadline) == ("Peter", "by Friday")
    assert by_task["Please check the backup of the database."].assigned_to is None


def test_own_promise_belongs_to_the_speaker() -> None:
    items = ExtractiveAnalyst().action_items(meeting(["I will write the report."]))
    assert items.next_steps[0].assigned_to == "Anna"


def test_question_is_not_a_task() -> None:
    assert not ExtractiveAnalyst().action_items(meeting(["Can you send the report?"])).next_steps


@pytest.mark.parametrize("language", ["de", "ja", "xx", "en-GB"])
def test_other_and_unknown_languages_do_not_fail(language: str) -> None:
    talk = meeting(["Das Budget ist zu klein.", "Wir brauchen mehr Geld."] * 8, language)
    analyst = ExtractiveAnalyst()
    topics = analyst.topics(talk, ignore)
    assert topics
    assert analyst.title(talk, topics)
    assert analyst.summary(talk, topics).short
    analyst.action_items(talk)


@pytest.mark.parametrize("lines", [["Yes."], ["um"], ["a b c"], ["No no no."] * 3])
def test_meeting_of_a_few_words_does_not_fail(lines: list[str]) -> None:
    talk = meeting(lines)
    analyst = ExtractiveAnalyst()
    topics = analyst.topics(talk, ignore)
    assert analyst.title(talk, topics)
    assert analyst.summary(talk, topics).short


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ('"the plan of today."', "The Plan of Today"),
        ("„Budget 2026“", "Budget 2026"),
        ("  many   spaces ", "Many Spaces"),
        ("NASA visit", "NASA Visit"),
    ],
)
def test_title_loses_quotes_and_gains_capitals(raw: str, clean: str) -> None:
    assert clean_title(raw) == clean


def test_packed_lines_fit_and_none_is_lost() -> None:
    lines = ["word " * n for n in (1, 50, 400, 3)]
    groups = pack(lines, 100)
    assert all(count_tokens("\n".join(group)) <= 100 for group in groups)
    assert " ".join(" ".join(group) for group in groups).split() == " ".join(lines).split()
