"""Put together what was recognised in each track of a recording."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from reflector.transcript.assembly import sentences
from reflector.transcript.words import Word, monotone

# What loudspeakers play is in the microphone's track a little later; times of words are off as well
BLEED_SECONDS = 0.6
# So many words in a row are hardly said by two at the same time
BLEED_WORDS = 3
# A single word can be: it has to be so many times quieter (in energy) to be an echo
CLEARLY = 4.0
# Who begins before another has ended is shown after them, if it is not longer before
TURN_SECONDS = 1.5

Level = Callable[[int, float, float], float]
"""The energy of a track from one second to another."""


def without_bleed(tracks: Sequence[Sequence[Word]], level: Level) -> list[list[Word]]:
    """Remove what is heard in a track because another one came through the loudspeakers.

    Such words are the same at the same time, and they are quieter. As loud ones are removed from
    the track that comes first, which is the microphone.
    """
    return [
        [word for echo, run in _runs(tracks, number, level) if not echo for word in run]
        for number in range(len(tracks))
    ]


def _runs(
    tracks: Sequence[Sequence[Word]], number: int, level: Level
) -> Iterator[tuple[bool, list[Word]]]:
    """Yield the words of a track in pieces, each with whether it is another track's echo."""
    others = {other: _places(words) for other, words in enumerate(tracks) if other != number}

    def is_quieter(run: Sequence[Word], clearly: float) -> bool:
        return any(_is_quieter(run, number, other, clearly, level) for other in others)

    for sentence in sentences(tracks[number]):
        runs = [
            (is_said, list(words))
            for is_said, words in groupby(
                sentence, lambda word: any(_is_said(word, places) for places in others.values())
            )
        ]
        echoes = [
            is_said and is_quieter(run, 1.0 if len(run) >= BLEED_WORDS else CLEARLY)
            for is_said, run in runs
        ]
        heard = sum(len(run) for (_, run), is_echo in zip(runs, echoes, strict=True) if is_echo)
        # What is left of a sentence of the other track was misheard
        is_mostly_echo = 2 * heard >= len(sentence)
        for (_, run), is_echo in zip(runs, echoes, strict=True):
            yield is_echo or (is_mostly_echo and is_quieter(run, 1.0)), run


def _places(words: Sequence[Word]) -> dict[str, list[float]]:
    places = defaultdict(list)
    for word in words:
        places[_letters(word)].append(word.start)
    return places


def _letters(word: Word) -> str:
    return "".join(char for char in word.text.casefold() if char.isalnum())


def _is_said(word: Word, places: dict[str, list[float]]) -> bool:
    letters = _letters(word)
    starts = places.get(letters, []) if letters else []
    at = bisect_left(starts, word.start - BLEED_SECONDS)
    return at < len(starts) and starts[at] <= word.start + BLEED_SECONDS


def _is_quieter(run: Sequence[Word], number: int, other: int, clearly: float, level: Level) -> bool:
    own, loud = (level(track, run[0].start, run[-1].end) for track in (number, other))
    return loud > clearly * own or (clearly == 1.0 and loud == own and number < other)


def with_own_speakers(tracks: Sequence[Sequence[Word]]) -> list[list[Word]]:
    """Return the words with numbers of speakers that no other track has."""
    found: list[list[Word]] = []
    taken = 0
    for words in tracks:
        found.append([word._replace(speaker=taken + word.speaker) for word in words])
        taken += 1 + max((word.speaker for word in words), default=0)
    return found


def merged(tracks: Sequence[Sequence[Word]]) -> list[Word]:
    """Return the words of all tracks in the order in which they are said.

    Who begins while another ends does not break into the other's last words, and a short remark
    stays together: where two speak at a time for up to TURN_SECONDS, words are so much later.
    """
    said = sorted(
        (sentence for words in tracks for sentence in sentences(words)),
        key=lambda sentence: sentence[0].start,
    )
    last: list[Word] = []
    for sentence in said:
        start, end = sentence[0].start, sentence[-1].end
        reach = last[-1].end if last else 0.0
        if start < reach < end and reach - start <= TURN_SECONDS:
            _move(sentence, start, reach)
        elif end <= reach and end - start <= TURN_SECONDS:
            _move(last, start, end)
        if end > reach:
            last = sentence
    words = [word for sentence in said for word in sentence]
    return monotone(words, max((word.end for word in words), default=0.0))


def _move(words: list[Word], start: float, end: float) -> None:
    """Let words that begin between `start` and `end` begin after `end`, before the one after them."""
    later = next((word.start for word in words if word.start >= end), max(words[-1].end, end))
    pace = (later - end) / (later - start)
    for index, word in enumerate(words):
        if start <= word.start < end:
            begin = end + (word.start - start) * pace
            words[index] = word._replace(start=begin, end=max(begin, min(word.end, later)))
