"""Segments and word times."""

from __future__ import annotations

import itertools

from reflector.transcript.words import (
    Word,
    from_rows,
    monotone,
    segment_ranges,
    segments,
    unsure_rows,
    with_unsure,
)


def sentence(text: str, start: float = 0.0, speaker: int = 0) -> list[Word]:
    return [
        Word(f" {part}", start + index * 0.5, start + index * 0.5 + 0.4, speaker)
        for index, part in enumerate(text.split())
    ]


def test_segment_ends_at_each_change_of_speaker() -> None:
    said = sentence("hello there") + sentence("good morning", 2, speaker=1)
    assert [(s.text, s.speaker) for s in segments(said)] == [
        ("hello there", 0),
        ("good morning", 1),
    ]


def test_short_sentences_stay_in_one_segment() -> None:
    assert len(segments(sentence("One. Two. Three."))) == 1


def test_long_segment_ends_with_its_sentence_not_inside_it() -> None:
    said = sentence("word " * 30 + "end. Next one.")
    assert [s.text[-4:] for s in segments(said)] == ["end.", "one."]


def test_speech_without_punctuation_is_cut_at_the_hard_limit() -> None:
    said = sentence("word " * 500)
    assert max(len(s.text) for s in segments(said)) <= 610
    lengths = [len(s.text) for s in segments(said, hard_limit=600)]
    assert max(lengths) <= 610
    assert len(lengths) > 3


def test_ranges_cover_every_word_once() -> None:
    said = sentence("a b. c " * 60) + sentence("x y", 200, speaker=1)
    ranges = segment_ranges(said)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(len(said)))


def test_no_words_give_no_segments() -> None:
    assert segments([]) == []


def test_word_times_never_overlap_and_never_pass_the_end() -> None:
    wild = [Word("b", 1.0, 9.0), Word("a", 0.5, 1.4), Word("c", 4.9, 5.7), Word("d", 6.0, 7.0)]
    tame = monotone(wild, 5.0)
    assert [word.text for word in tame] == ["a", "b", "c", "d"]
    for left, right in itertools.pairwise(tame):
        assert left.start <= left.end <= right.start
    assert all(0 <= word.start <= word.end <= 5.0 for word in tame)


def test_probability_is_kept_beside_the_rows_of_earlier_versions() -> None:
    sure, unsure, unknown = (
        Word(" a", 0, 1, 0, 0.93), Word(" b", 1, 2, 0, 0.414), Word(" c", 2, 3),
    )  # fmt: skip
    words = [sure, unsure, unknown]
    rows = [word.row() for word in words]
    assert rows == [[" a", 0, 1, 0], [" b", 1, 2, 0], [" c", 2, 3, 0]]
    assert unsure_rows(words) == [[1, " b", 0.41]]
    again = with_unsure(from_rows(rows), unsure_rows(words))
    assert [word.probability for word in again] == [None, 0.41, None]
    corrected = with_unsure([unsure._replace(text=" d")], unsure_rows(words))
    assert corrected[0].probability is None
    moved = monotone([unsure._replace(end=9)], 5)
    assert (moved[0].end, moved[0].probability) == (5, 0.414)
