"""Put together what was recognised in each track of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reflector.transcript.assembly import sentences
from reflector.transcript.words import Word, monotone

# Two who speak at a time for so long are not interleaved
TURN_SECONDS = 2.5
# Without punctuation or pauses, a sentence would be as long as the recording
MOST_WORDS = 100
# Of words without a length
LEAST_SECONDS = 0.01


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
    stays together: for that, words are moved by up to TURN_SECONDS.
    """
    said = sorted(
        (piece for words in tracks for piece in _pieces(words)), key=lambda piece: piece[0].start
    )
    last: list[Word] = []
    for piece in said:
        start, end = piece[0].start, max(piece[-1].end, piece[-1].start + LEAST_SECONDS)
        reach = last[-1].end if last else start
        if start < reach < end and reach - start <= TURN_SECONDS:
            _move(piece, start, reach)
        elif end <= reach and end - start <= TURN_SECONDS:
            _move(last, start, end)
        if end > reach:
            last = piece
    words = [word for piece in said for word in piece]
    return monotone(words, max((word.end for word in words), default=0.0))


def _pieces(words: Sequence[Word]) -> Iterator[list[Word]]:
    for sentence in sentences(words):
        for first in range(0, len(sentence), MOST_WORDS):
            yield sentence[first : first + MOST_WORDS]


def _move(words: list[Word], start: float, end: float) -> None:
    """Let words that begin between `start` and `end` begin after `end`, before the one after them."""
    later = next((word.start for word in words if word.start >= end), max(words[-1].end, end))
    pace = (later - end) / (later - start)
    for index, word in enumerate(words):
        if start <= word.start < end:
            begin = end + (word.start - start) * pace
            words[index] = word._replace(start=begin, end=max(begin, min(word.end, later)))
