"""Words of a microphone and of shared sound become one text."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from reflector.transcript.bleed import Level, without_bleed
from reflector.transcript.tracks import merged, with_own_speakers
from reflector.transcript.words import Word


def said(text: str, start: float, pace: float = 0.4, speaker: int = 0) -> list[Word]:
    return [
        Word(f" {word}", start + pace * number, start + pace * (number + 1) - 0.05, speaker)
        for number, word in enumerate(text.split())
    ]


def texts(words: list[Word]) -> str:
    return "".join(word.text for word in words).strip()


def levels(*of_tracks: float) -> Level:
    return lambda track, start, end: of_tracks[track]


def test_what_loudspeakers_play_is_not_said_twice() -> None:
    shared = said("Shall we ship it on Friday?", 1.0)
    mine = said("shall we ship it on friday", 1.2) + said("Yes, on Friday.", 6.0)
    own, others = without_bleed([mine, shared], levels(0.01, 0.1))
    assert (texts(own), others) == ("Yes, on Friday.", shared)


def test_echo_at_the_same_level_stays_in_the_shared_track() -> None:
    words = said("Shall we ship it", 1.0)
    assert without_bleed([words, words], levels(0.1, 0.1)) == [[], words]


def test_far_end_that_returns_a_voice_is_removed_from_the_shared_track() -> None:
    mine, shared = said("I would ship it today.", 1.0), said("I would ship it today.", 1.4)
    assert without_bleed([mine, shared], levels(0.1, 0.01)) == [mine, []]


@pytest.mark.parametrize(("quieter", "is_kept"), [(0.05, True), (0.01, False)])
def test_one_word_of_both_is_an_echo_only_if_it_is_much_quieter(
    quieter: float, is_kept: bool
) -> None:
    own, others = without_bleed([said("Yes.", 1.1), said("Yes.", 1.0)], levels(quieter, 0.1))
    assert (bool(own), len(others)) == (is_kept, 1)


def test_same_words_at_another_time_are_everybodys_own() -> None:
    mine, shared = (
        said("Good morning everybody here.", 3.0),
        said("Good morning everybody here.", 1.0),
    )
    assert without_bleed([mine, shared], levels(0.01, 0.1)) == [mine, shared]


def test_own_words_in_a_sentence_with_an_echo_stay() -> None:
    shared = said("that is the third point", 1.0)
    mine = said("that is the third point and I do not agree", 1.1)
    own, _ = without_bleed(
        [mine, shared], lambda track, start, end: [0.01, 0.1 if end < 3.1 else 0.0][track]
    )
    assert texts(own) == "and I do not agree"


def test_words_of_both_tracks_are_not_lost_from_both() -> None:
    mine = said("one two three four five six.", 1.0)
    shared = said("one two three.", 1.0) + said("four five six.", 2.2)

    def level(track: int, start: float, end: float) -> float:
        return 1.0 if track == 1 else 1.01 if end < 2.3 else 0.9

    for tracks in ([mine, shared], [shared, mine]):
        found = without_bleed(tracks, level)
        heard = {word.text.strip(" .") for words in found for word in words}
        assert heard == {"one", "two", "three", "four", "five", "six"}


def test_what_both_tracks_have_is_in_one_of_them_whatever_their_levels() -> None:
    chance = random.Random(3)
    for _ in range(500):
        later = chance.uniform(-0.2, 0.2)
        tracks = [
            [
                Word(
                    f" {at % 5}{chance.choice(['', '.'])}",
                    0.4 * at + moved,
                    0.4 * at + 0.35 + moved,
                )
                for at in range(8)
                if chance.random() < 0.8
            ]
            for moved in (0.0, later)
        ]
        loudness: dict[tuple[int, float], float] = {}

        def level(
            track: int, start: float, end: float, known: dict[tuple[int, float], float] = loudness
        ) -> float:
            return known.setdefault((track, round(start, 1)), chance.choice([0.01, 0.1, 1.0, 5.0]))

        def places(words: list[Word]) -> set[tuple[str, int]]:
            return {(word.text.strip(" ."), round(word.start / 0.4)) for word in words}

        mine, shared = (places(words) for words in tracks)
        own, others = (places(words) for words in without_bleed(tracks, level))
        assert mine & shared <= own | others


def test_quiet_reply_that_shares_a_word_stays() -> None:
    shared, mine = said("That is what I think we should do.", 8.5), said("I agree.", 9.8)
    own, _ = without_bleed([mine, shared], levels(0.01, 0.1))
    assert "agree" in texts(own)


@pytest.mark.parametrize(
    "tracks",
    [
        [[(1.0, 2.0), (2.0, 2.5), (2.5, 3.0)], [(2.5, 2.5)]],
        [[(1.0, 2.0), (2.0, 2.5)], [(2.5, 2.5)]],
        [[(1.0, 1.0)], [(1.0, 1.0)]],
        [[(0.0, 0.0)], [(1.0, 2.0)]],
        [[], [(1.0, 2.0)]],
        [[], []],
    ],
)
def test_words_without_a_length_are_merged(tracks: list[list[tuple[float, float]]]) -> None:
    words = [[Word(f" {start}", start, end) for start, end in times] for times in tracks]
    found = merged(words)
    assert len(found) == sum(map(len, tracks))


def test_remark_that_ends_in_a_word_without_a_length_stays_whole() -> None:
    first = [Word(" aa", 1.0, 1.4), Word(" bb", 1.4, 1.7), Word(" cc.", 1.8, 2.4)]
    second = [Word(" so", 1.3, 1.6), Word(" yes.", 1.8, 1.8)]
    assert texts(merged([first, second])) == "aa so yes. bb cc."


def test_who_begins_before_another_ends_does_not_break_into_the_sentence() -> None:
    first, second = said("We could do it then.", 1.0), said("Or on Monday perhaps.", 2.3, speaker=1)
    words = merged([first, second])
    assert texts(words) == "We could do it then. Or on Monday perhaps."
    assert [word.speaker for word in words] == [0] * 5 + [1] * 4


def test_short_remark_stays_whole_and_where_it_was_made() -> None:
    first = said("We could do it at noon then.", 1.0)
    second = said("Yes, that is fine.", 2.25, 0.3, speaker=1)
    assert texts(merged([first, second])) == "We could do it Yes, that is fine. at noon then."


def test_misheard_rest_of_an_echo_goes_with_it() -> None:
    shared = said("Concorde returned to its place amidst the tents.", 1.0)
    mine = said("Concord return to its place amidst the tense.", 1.1) + said("Fine.", 6.0)
    own, _ = without_bleed([mine, shared], levels(0.01, 0.1))
    assert texts(own) == "Fine."


def test_words_of_two_who_speak_for_long_come_in_order_and_none_is_lost() -> None:
    chance = random.Random(7)
    for _ in range(200):
        tracks: list[list[Word]] = []
        for number in range(2):
            words: list[Word] = []
            at = chance.uniform(0, 5)
            for _ in range(30):
                at += chance.uniform(0, 1.6)
                end = at + chance.choice([0.0, chance.uniform(0, 0.8)])
                words.append(Word(f" {number}.{len(words)}" + chance.choice(["", "."]), at, end))
                at = end
            tracks.append(words)
        found = merged(with_own_speakers(tracks))
        assert sorted(w.text for w in found) == sorted(w.text for words in tracks for w in words)
        assert all(one.start <= one.end <= other.start for one, other in pairwise(found))
        for number in range(2):
            own = [word.text for word in found if word.speaker == number]
            assert own == [word.text for word in tracks[number]]


def test_speakers_of_different_tracks_are_different_people() -> None:
    tracks = [said("a b", 0.0) + said("c", 5.0, speaker=1), said("d", 2.0)]
    found = with_own_speakers(tracks)
    assert [[word.speaker for word in words] for words in found] == [[0, 0, 1], [2]]
