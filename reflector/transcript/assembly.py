"""Which speaker said which word (rules of the reference, spec section 3.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from reflector.transcript.words import Word


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker speaking in `[start, end)`, seconds."""

    start: float
    end: float
    speaker: int

    @property
    def duration(self) -> float:
        return self.end - self.start


def without_overlaps(turns: Iterable[Turn]) -> list[Turn]:
    """Of two turns that overlap the shorter one goes."""
    kept: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        while kept and kept[-1].end > turn.start and kept[-1].duration < turn.duration:
            kept.pop()
        if not kept or kept[-1].end <= turn.start:
            kept.append(turn)
    return kept


def with_words(turns: Iterable[Turn], words: Sequence[Word]) -> list[Turn]:
    """Turns in which at least one word starts."""
    starts = [word.start for word in words]

    def spoken(turn: Turn) -> bool:
        first = bisect_left(starts, turn.start)
        return first < len(starts) and starts[first] < turn.end

    return [turn for turn in turns if spoken(turn)]


def merged(turns: Iterable[Turn]) -> list[Turn]:
    """Neighbouring turns of one speaker become one."""
    result: list[Turn] = []
    for turn in turns:
        if result and result[-1].speaker == turn.speaker:
            result[-1] = replace(result[-1], end=max(result[-1].end, turn.end))
        else:
            result.append(turn)
    return result


def assign_speakers(words: Sequence[Word], turns: Iterable[Turn]) -> list[Word]:
    """`words` with their speakers; without any turn every word stays speaker 0.

    A word belongs to the turn in which it starts. Words in the gap between two turns stay with the
    last speaker while they continue a sentence, else they go to the next.
    """
    ordered = merged(with_words(without_overlaps(turns), words))
    if not ordered:
        return list(words)
    result: list[Word] = []
    index = 0
    for word in words:
        while index < len(ordered) - 1 and _reaches_beyond(
            word, ordered[index], ordered[index + 1]
        ):
            if word.start >= ordered[index + 1].start or not _continues(result, word):
                index += 1
            else:
                break
        result.append(word._replace(speaker=ordered[index].speaker))
    return result


def _reaches_beyond(word: Word, turn: Turn, following: Turn) -> bool:
    """Whether a word is at least in the gap after `turn`.

    Whisper lets the first word of a sentence begin in the pause before it. So a word that is still
    being said when the next turn starts counts as said in the gap, although it starts earlier.
    """
    return word.start >= turn.end or (word.start > turn.start and word.end > following.start)


def _continues(before: Sequence[Word], word: Word) -> bool:
    if not before or before[-1].ends_sentence:
        return False
    return not word.text.strip()[:1].isupper()


def numbered_by_appearance(words: Iterable[Word]) -> list[Word]:
    """Speakers renumbered 0, 1, … in the order in which they first speak."""
    numbers: dict[int, int] = {}
    return [word._replace(speaker=numbers.setdefault(word.speaker, len(numbers))) for word in words]
