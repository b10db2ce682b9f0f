"""Corrected words have the times of those that they replace."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from reflector.transcript.alignment import corrected
from reflector.transcript.corrections import Corrections, carried_over
from reflector.transcript.words import Word, plain_text

SAID = [
    Word(" we", 1.0, 1.2, 2),
    Word(" need", 1.2, 1.5, 2),
    Word(" tenth", 1.5, 1.9, 2),
    Word(" thousand", 2.0, 2.6, 2),
    Word(" euros.", 2.7, 3.1, 2),
]


def test_words_that_stay_keep_their_times() -> None:
    assert corrected(SAID, "We need ten thousand euros!") == [
        Word(" We", 1.0, 1.2, 2),
        Word(" need", 1.2, 1.5, 2),
        Word(" ten", 1.5, 1.9, 2),
        Word(" thousand", 2.0, 2.6, 2),
        Word(" euros!", 2.7, 3.1, 2),
    ]


def test_one_word_for_two_takes_the_time_of_both() -> None:
    assert corrected(SAID, "we need 10000 euros.")[2] == Word(" 10000", 1.5, 2.6, 2)


def test_two_words_for_one_share_its_time_in_order() -> None:
    found = corrected(SAID, "we need a ten thousand euros.")
    assert [(w.text, w.start, w.end) for w in found[2:4]] == [(" a", 1.5, 1.5), (" ten", 1.5, 1.9)]


def test_inserted_word_shares_the_time_of_the_word_before_it() -> None:
    assert corrected(SAID, "we really need tenth thousand euros.")[:2] == [
        Word(" we", 1.0, 1.0, 2),
        Word(" really", 1.0, 1.2, 2),
    ]
    assert corrected(SAID, f"So {plain_text(SAID)}")[:2] == [
        Word(" So", 1.0, 1.0, 2),
        Word(" we", 1.0, 1.2, 2),
    ]
    # Not where another speaker may begin
    assert corrected(SAID, f"{plain_text(SAID)} Yes.")[-1] == Word(" Yes.", 2.7, 3.1, 2)


def test_words_of_blanks_can_be_given_a_text() -> None:
    assert corrected([Word("", 1.0, 2.0), Word("", 2.0, 3.0)], "Yes.") == [Word(" Yes.", 1.0, 3.0)]


def test_nothing_is_left_of_no_text() -> None:
    assert corrected(SAID, "  \n") == []


def test_language_without_spaces_keeps_its_words() -> None:
    said = [Word("我们", 0.0, 0.4), Word("需要", 0.4, 0.8), Word("前", 0.8, 1.0)]
    found = corrected(said, "我们需要钱。")
    assert found[:2] == said[:2]
    assert found[2] == Word("钱。", 0.8, 1.0)


@pytest.mark.parametrize("seed", range(50))
def test_text_is_what_was_typed_and_times_stay_in_order(seed: int) -> None:
    chance = random.Random(seed)
    known = [word.text.strip() for word in SAID]
    typed = [
        chance.choice([*known, "another", "naïve", "5"]) for _ in range(chance.randrange(1, 12))
    ]
    found = corrected(SAID, " ".join(typed))
    assert plain_text(found) == " ".join(typed)
    assert all(a.start <= a.end <= b.start for a, b in pairwise(found))
    times = {moment for word in SAID for moment in (word.start, word.end)}
    assert all({word.start, word.end} <= times for word in found)


def test_new_run_keeps_what_people_corrected() -> None:
    heard = [word._replace(start=word.start + 0.05, end=word.end + 0.05) for word in SAID]
    edits = {"words": [[1.5, 2.6, "ten thousand"]]}
    words = carried_over(heard, SAID, Corrections.of(edits), [])
    assert plain_text(words) == "we need ten thousand euros."


def test_correction_of_what_a_new_run_does_not_hear_is_left_out() -> None:
    edits = {"words": [[50.0, 51.0, "gone"]]}
    assert carried_over(SAID, SAID, Corrections.of(edits), []) == SAID
