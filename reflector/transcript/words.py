"""A word with its time and speaker, and the segments that words form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

SENTENCE_END = re.compile(r"[.;:?!…。？！]")
MAX_SEGMENT_CHARS = 120


class Word(NamedTuple):
    """`text` carries its leading space, as Whisper gives it; times in seconds."""

    text: str
    start: float
    end: float
    speaker: int = 0

    def row(self) -> list[Any]:
        return [self.text, self.start, self.end, self.speaker]

    @property
    def ends_sentence(self) -> bool:
        return bool(SENTENCE_END.search(self.text))


class Segment(NamedTuple):
    """Consecutive words of one speaker."""

    text: str
    start: float
    end: float
    speaker: int


def from_rows(rows: Iterable[Sequence[Any]]) -> list[Word]:
    return [Word._make(row) for row in rows]


def plain_text(words: Iterable[Word]) -> str:
    return "".join(word.text for word in words).strip()


def segment_ranges(
    words: Sequence[Word], limit: int = MAX_SEGMENT_CHARS, hard_limit: int | None = None
) -> list[tuple[int, int]]:
    """Word ranges `[first, last)` of segments.

    A new segment at each change of speaker, and after a sentence once it is over `limit`
    characters; with `hard_limit` also inside a sentence that goes on beyond that.
    """
    ranges: list[tuple[int, int]] = []
    first, length = 0, 0
    for index, word in enumerate(words):
        if index > first and word.speaker != words[index - 1].speaker:
            ranges.append((first, index))
            first, length = index, 0
        length += len(word.text)
        if (length > limit and word.ends_sentence) or (hard_limit and length > hard_limit):
            ranges.append((first, index + 1))
            first, length = index + 1, 0
    if first < len(words):
        ranges.append((first, len(words)))
    return ranges


def segments(
    words: Sequence[Word], limit: int = MAX_SEGMENT_CHARS, hard_limit: int | None = None
) -> list[Segment]:
    return [
        Segment(
            plain_text(words[first:last]),
            words[first].start,
            words[last - 1].end,
            words[first].speaker,
        )
        for first, last in segment_ranges(words, limit, hard_limit)
    ]


def monotone(words: Iterable[Word], duration: float) -> list[Word]:
    """Words in order, each ending before the next starts and none past `duration`."""
    ordered: list[Word] = []
    for word in sorted(words, key=lambda word: word.start):
        start = round(min(max(word.start, 0.0), duration), 2)
        end = round(min(max(word.end, start), duration), 2)
        if ordered and ordered[-1].end > start:
            ordered[-1] = ordered[-1]._replace(end=max(ordered[-1].start, start))
        ordered.append(word._replace(start=start, end=end))
    return ordered
