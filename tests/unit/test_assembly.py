"""Which speaker said which word."""

from __future__ import annotations

from reflector.transcript.assembly import (
    Turn,
    assign_speakers,
    merged,
    numbered_by_appearance,
    united,
    without_overlaps,
)
from reflector.transcript.words import Word


def words(*items: tuple[str, float]) -> list[Word]:
    return [Word(f" {text}", start, start + 0.2) for text, start in items]


def speakers(assigned: list[Word]) -> list[int]:
    return [word.speaker for word in assigned]


def test_shorter_of_two_overlapping_turns_is_dropped() -> None:
    turns = [Turn(0, 5, 0), Turn(4, 5.5, 1), Turn(6, 7, 2)]
    assert without_overlaps(turns) == [Turn(0, 5, 0), Turn(6, 7, 2)]


def test_long_turn_that_starts_later_displaces_a_short_one() -> None:
    assert without_overlaps([Turn(0, 1, 0), Turn(0.5, 9, 1)]) == [Turn(0.5, 9, 1)]


def test_neighbours_of_one_speaker_become_one_turn() -> None:
    assert merged([Turn(0, 1, 0), Turn(2, 3, 0), Turn(3, 4, 1)]) == [Turn(0, 3, 0), Turn(3, 4, 1)]


def test_word_belongs_to_the_turn_in_which_it_starts() -> None:
    said = words(("one", 0.5), ("two.", 1.9), ("three", 2.0))
    assert speakers(assign_speakers(said, [Turn(0, 2, 0), Turn(2, 4, 1)])) == [0, 0, 1]


def test_words_in_a_gap_stay_while_they_continue_the_sentence() -> None:
    said = words(("I", 0.5), ("think", 1.2), ("so", 1.6), ("Yes.", 3.0))
    assert speakers(assign_speakers(said, [Turn(0, 1, 0), Turn(3, 4, 1)])) == [0, 0, 0, 1]


def test_words_in_a_gap_after_a_full_stop_go_to_the_next_speaker() -> None:
    said = words(("done.", 0.5), ("well", 1.5), ("then.", 3.2))
    assert speakers(assign_speakers(said, [Turn(0, 1, 0), Turn(3, 4, 1)])) == [0, 1, 1]


def test_capitalised_word_in_a_gap_goes_to_the_next_speaker() -> None:
    said = words(("done", 0.5), ("Well", 1.5), ("then.", 3.2))
    assert speakers(assign_speakers(said, [Turn(0, 1, 0), Turn(3, 4, 1)])) == [0, 1, 1]


def test_words_before_the_first_and_after_the_last_turn_get_their_neighbour() -> None:
    said = words(("early", 0.0), ("in.", 1.5), ("Two.", 3.5), ("Late", 9.0))
    assert speakers(assign_speakers(said, [Turn(1, 2, 4), Turn(3, 4, 5)])) == [4, 4, 5, 5]


def test_sentence_that_whisper_starts_too_early_goes_to_its_speaker() -> None:
    said = [Word(" ready?", 0.5, 1.0), Word(" The", 1.0, 1.9), Word(" rest", 1.9, 2.2)]
    assert speakers(assign_speakers(said, [Turn(0, 1.2, 0), Turn(1.6, 3, 1)])) == [0, 1, 1]


def test_turn_without_words_does_not_take_any() -> None:
    said = words(("a", 0.1), ("b", 5.0))
    turns = [Turn(0, 1, 0), Turn(2, 3, 1), Turn(4.5, 6, 0)]
    assert speakers(assign_speakers(said, turns)) == [0, 0]


def test_no_turns_leave_one_speaker() -> None:
    said = words(("a", 0.1), ("b", 5.0))
    assert assign_speakers(said, []) == said


def test_speakers_are_numbered_as_they_first_speak() -> None:
    said = [Word("a", 0, 1, 7), Word("b", 1, 2, 3), Word("c", 2, 3, 7)]
    assert speakers(numbered_by_appearance(said)) == [0, 1, 0]


def test_end_of_a_sentence_stays_with_its_speaker_where_another_begins() -> None:
    said = words(("Neither", 1.0), ("did", 1.5), ("I.", 2.1), ("Okay.", 2.6))
    turns, everyone = [Turn(0, 2, 0), Turn(2, 4, 1)], [Turn(0, 2.4, 0), Turn(2, 4, 1)]
    assert speakers(assign_speakers(said, turns)) == [0, 0, 1, 1]
    assert speakers(assign_speakers(said, turns, everyone)) == [0, 0, 0, 1]


def test_beginning_of_a_sentence_goes_to_who_says_the_rest() -> None:
    said = words(("here.", 1.0), ("I", 1.6), ("can", 2.0), ("hear", 2.2), ("that.", 2.5))
    turns, everyone = [Turn(0, 1.9, 0), Turn(1.9, 4, 1)], [Turn(0, 1.9, 0), Turn(1.5, 4, 1)]
    assert speakers(assign_speakers(said, turns, everyone)) == [0, 1, 1, 1, 1]


def test_what_somebody_throws_in_stays_his() -> None:
    said = words(("We", 0.5), ("met.", 1.0), ("Right.", 1.6), ("And", 2.3), ("then", 2.6))
    turns = [Turn(0, 1.5, 0), Turn(1.5, 2.0, 1), Turn(2.0, 4, 0)]
    everyone = [Turn(0, 4, 0), Turn(1.5, 2.0, 1)]
    assert speakers(assign_speakers(said, turns, everyone)) == [0, 0, 1, 0, 0]


def test_sentence_of_two_speakers_one_after_the_other_is_divided() -> None:
    said = words(("and", 0.5), ("so", 1.0), ("on", 1.5), ("yes", 2.0))
    turns = [Turn(0, 2, 0), Turn(2, 4, 1)]
    assert speakers(assign_speakers(said, turns, turns)) == [0, 0, 0, 1]


def test_turns_of_one_speaker_that_overlap_are_one() -> None:
    turns = [Turn(0, 2, 0), Turn(1, 3, 1), Turn(1.5, 2.5, 0), Turn(4, 5, 0)]
    assert united(turns) == [Turn(0, 2.5, 0), Turn(1, 3, 1), Turn(4, 5, 0)]
