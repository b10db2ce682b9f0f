"""Define words with times and speakers, and group them into segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

# Latin, Greek, CJK (full and half width), Devanagari, Arabic and Urdu, Armenian, Ethiopic, Khmer,
# Myanmar, Tibetan, Mongolian
SENTENCE_END = re.compile("[.;:?!…。？！｡।॥؟۔؛։՜՞።፧፨៕។။།᠃]")
MAX_SEGMENT_CHARS = 120
# Limit for a sentence without an end, in languages or from recognisers without punctuation
HARD_SEGMENT_CHARS = 600
# Subtitles: two lines of 42 characters, at most seven seconds (guidelines of Netflix and the BBC)
CUE_CHARS, CUE_SECONDS = 84, 7.0
CUE_PAUSE_SECONDS = 1.5
# Below this probability a word is worth a look
UNSURE = 0.6


class Word(NamedTuple):
    """A word. `text` includes its leading space, as Whisper gives it; times are in seconds.

    `probability` is how sure the recogniser was, from 0 to 1; None if it did not say, or if a person
    has corrected the words.
    """

    text: str
    start: float
    end: float
    speaker: int = 0
    probability: float | None = None

    def row(self) -> list[Any]:
        """Return what is stored: earlier versions of this program read it, too."""
        return [self.text, self.start, self.end, self.speaker]

    def timed(self) -> dict[str, Any]:
        """Return the word as the reference's API has it."""
        return {"text": self.text, "start": self.start, "end": self.end, "speaker": self.speaker}

    @property
    def is_unsure(self) -> bool:
        return self.probability is not None and self.probability < UNSURE

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
    return [Word(*row) for row in rows]


def unsure_rows(words: Iterable[Word]) -> list[list[Any]]:
    """Return `[start, text, probability]` of the words that the recogniser was not sure of."""
    return [[w.start, w.text, round(w.probability or 0.0, 2)] for w in words if w.is_unsure]


def with_unsure(words: Iterable[Word], rows: Iterable[Sequence[Any]]) -> list[Word]:
    """Return `words` with the probabilities of `unsure_rows`: of those still there as they were."""
    known = {(start, text): probability for start, text, probability in rows}
    return [word._replace(probability=known.get((word.start, word.text))) for word in words]


def plain_text(words: Iterable[Word]) -> str:
    return "".join(word.text for word in words).strip()


def segment_ranges(
    words: Sequence[Word], limit: int = MAX_SEGMENT_CHARS, hard_limit: int = HARD_SEGMENT_CHARS
) -> list[tuple[int, int]]:
    """Return word ranges `[first, last)` of segments.

    A segment ends at each change of speaker, at a sentence end once it exceeds `limit` characters,
    and inside a sentence once it exceeds `hard_limit`.
    """
    ranges: list[tuple[int, int]] = []
    first, length = 0, 0
    for index, word in enumerate(words):
        if index > first and word.speaker != words[index - 1].speaker:
            ranges.append((first, index))
            first, length = index, 0
        length += len(word.text)
        if (length > limit and word.ends_sentence) or length > hard_limit:
            ranges.append((first, index + 1))
            first, length = index + 1, 0
    if first < len(words):
        ranges.append((first, len(words)))
    return ranges


def segments(
    words: Sequence[Word], limit: int = MAX_SEGMENT_CHARS, hard_limit: int = HARD_SEGMENT_CHARS
) -> list[Segment]:
    return [_segment(words[a:b]) for a, b in segment_ranges(words, limit, hard_limit)]


def cues(words: Sequence[Word]) -> list[Segment]:
    """Return subtitle cues: one speaker, two lines, seven seconds at most.

    A cue ends at a pause, or when it is full. It also ends with a sentence, if it is more than half
    full. A single word is never split.
    """
    found: list[Segment] = []
    first, length = 0, 0
    for index, word in enumerate(words):
        if index > first and _begins_cue(words, first, index, length):
            found.append(_segment(words[first:index]))
            first, length = index, 0
        length += len(word.text)
    if first < len(words):
        found.append(_segment(words[first:]))
    return found


def _begins_cue(words: Sequence[Word], first: int, index: int, length: int) -> bool:
    word, before = words[index], words[index - 1]
    return (
        word.speaker != before.speaker
        or length + len(word.text) > CUE_CHARS
        or word.end - words[first].start > CUE_SECONDS
        or word.start - before.end > CUE_PAUSE_SECONDS
        or (before.ends_sentence and length > CUE_CHARS // 2)
    )


def _segment(words: Sequence[Word]) -> Segment:
    return Segment(plain_text(words), words[0].start, words[-1].end, words[0].speaker)


def monotone(words: Iterable[Word], duration: float) -> list[Word]:
    """Return words in order, each ending before the next starts and none past `duration`."""
    ordered: list[Word] = []
    for word in sorted(words, key=lambda word: word.start):
        start = round(min(max(word.start, 0.0), duration), 2)
        end = round(min(max(word.end, start), duration), 2)
        if ordered and ordered[-1].end > start:
            ordered[-1] = ordered[-1]._replace(end=max(ordered[-1].start, start))
        ordered.append(word._replace(start=start, end=end))
    return ordered
