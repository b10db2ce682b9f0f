"""Speakers that people corrected, in the words of a new run."""

from __future__ import annotations

from reflector.transcript.corrections import Corrections, carried_over
from reflector.transcript.words import Word


def words(*speakers: int, seconds: float = 1.0) -> list[Word]:
    """One each second, of these speakers."""
    return [Word(f"w{n}", n * seconds, n * seconds + 0.8, s) for n, s in enumerate(speakers)]


def speakers(found: list[Word]) -> list[int]:
    return [word.speaker for word in found]


def test_new_numbers_do_not_move_a_name_to_another_voice() -> None:
    kept = carried_over(words(0, 0, 1, 1), words(1, 1, 0, 0), Corrections(), {0, 1})
    assert speakers(kept) == [1, 1, 0, 0]


def test_speaker_whom_nobody_had_heard_gets_a_number_without_a_name() -> None:
    kept = carried_over(words(0, 0, 1, 2), words(0, 0, 1, 1), Corrections(), {0, 1, 2})
    assert speakers(kept) == [0, 0, 1, 3]


def test_two_people_whom_the_old_run_confused_stay_apart() -> None:
    kept = carried_over(words(0, 0, 0, 1), words(0, 0, 0, 0), Corrections(), {0})
    assert speakers(kept) == [0, 0, 0, 1]


def test_speakers_whom_somebody_merged_stay_one() -> None:
    merged = Corrections(merged=frozenset({0}))
    assert speakers(carried_over(words(0, 0, 0, 1), words(0, 0, 0, 0), merged, {0})) == [0, 0, 0, 0]


def test_assigned_range_is_assigned_again() -> None:
    corrections = Corrections([(1.0, 2.0, 1)])
    kept = carried_over(words(0, 0, 0, 0), words(0, 1, 1, 0), corrections, {0, 1})
    assert speakers(kept) == [0, 1, 1, 0]


def test_words_that_lie_elsewhere_change_nothing() -> None:
    late = [word._replace(start=word.start + 100, end=word.end + 100) for word in words(1, 0)]
    assert speakers(carried_over(words(0, 1), late, Corrections(), set())) == [2, 3]
    assert carried_over([], late, Corrections(), set()) == []
