"""Carry corrections of speakers and words over to the words of a new run.

A new run numbers its speakers anew. Each of its speakers takes the number of the shown speaker with
whom it shares the most speech, so that names stay with their voices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from reflector.transcript.alignment import corrected
from reflector.transcript.words import Word


@dataclass(frozen=True)
class Corrections:
    """Corrections that people made.

    `ranges` are `(start, end, speaker)`, in seconds and in the order in which they were made.
    `merged` are the speakers that others were merged into. `words` are `(start, end, text)`.
    """

    ranges: list[tuple[float, float, int]] = field(default_factory=list)
    merged: frozenset[int] = frozenset()
    words: list[tuple[float, float, str]] = field(default_factory=list)

    @classmethod
    def of(cls, edits: dict[str, Any] | None) -> Corrections:
        """Return the corrections in `Transcript.edits`."""
        edits = edits or {}
        ranges = [(float(a), float(b), int(s)) for a, b, s in edits.get("ranges", [])]
        words = [(float(a), float(b), str(text)) for a, b, text in edits.get("words", [])]
        return cls(ranges, frozenset(edits.get("merged", [])), words)


def carried_over(
    words: Sequence[Word], shown: Sequence[Word], corrections: Corrections, named: Collection[int]
) -> list[Word]:
    """Return `words` with the numbers of `shown`, and with what people corrected.

    `named` are the speakers who have a name; no new speaker gets one of these numbers.
    """
    numbers = _numbers(words, shown, corrections.merged, named)
    result = [word._replace(speaker=numbers[word.speaker]) for word in words]
    for start, end, speaker in corrections.ranges:
        result = [w._replace(speaker=speaker) if start <= w.start <= end else w for w in result]
    for start, end, text in corrections.words:
        result = _with_text(result, start, end, text)
    return result


def _with_text(words: list[Word], start: float, end: float, text: str) -> list[Word]:
    """Return `words` with `text` in place of those whose middle lies in `[start, end]`."""
    places = [n for n, word in enumerate(words) if start <= (word.start + word.end) / 2 <= end]
    if not places:
        return words
    first, last = places[0], places[-1] + 1
    return [*words[:first], *corrected(words[first:last], text), *words[last:]]


def _numbers(
    words: Sequence[Word], shown: Sequence[Word], merged: Collection[int], named: Collection[int]
) -> dict[int, int]:
    """Return the number for each speaker of `words`, by the largest shared time first.

    Each number is used once, unless people merged others into it.
    """
    shared = _shared_seconds(words, shown)
    numbers: dict[int, int] = {}
    given: set[int] = set()
    for (new, old), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if new not in numbers and (old not in given or old in merged):
            numbers[new] = old
            given.add(old)
    taken = given | set(named) | {word.speaker for word in shown}
    for word in words:
        if word.speaker not in numbers:
            free = next(n for n in range(len(taken) + 1) if n not in taken)
            numbers[word.speaker] = free
            taken.add(free)
    return numbers


def _shared_seconds(words: Sequence[Word], shown: Sequence[Word]) -> dict[tuple[int, int], float]:
    """Return how long words of both speakers overlap, by new and old speaker; seconds."""
    shared: dict[tuple[int, int], float] = defaultdict(float)
    for word, other in _pairs(words, shown):
        shared[word.speaker, other.speaker] += min(word.end, other.end) - max(
            word.start, other.start
        )
    return shared


def _pairs(words: Sequence[Word], others: Sequence[Word]) -> Iterable[tuple[Word, Word]]:
    """Yield the pairs that overlap in time; both inputs are ordered by their starts."""
    first = 0
    for word in words:
        while first < len(others) and others[first].end <= word.start:
            first += 1
        for other in others[first:]:
            if other.start >= word.end:
                break
            if other.end > word.start:
                yield word, other
