"""Assign words to speakers (rules of the reference, spec section 3.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reflector.transcript.words import Word

# How far Whisper's word times may be off, and a pause that ends a sentence without punctuation
LEEWAY_SECONDS, PAUSE_SECONDS = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker speaks in `[start, end)`, in seconds."""

    start: float
    end: float
    speaker: int

    @property
    def duration(self) -> float:
        return self.end - self.start

    def overlaps(self, other: Turn) -> bool:
        return max(self.start, other.start) < min(self.end, other.end)


def by_speaker(turns: Iterable[Turn]) -> dict[int, list[Turn]]:
    found: dict[int, list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.speaker, []).append(turn)
    return found


def united(turns: Iterable[Turn]) -> list[Turn]:
    """Join overlapping turns of each speaker; return them by their starts."""
    result: list[Turn] = []
    for spoken in by_speaker(turns).values():
        own: list[Turn] = []
        for turn in sorted(spoken, key=lambda turn: turn.start):
            if own and turn.start <= own[-1].end:
                own[-1] = replace(own[-1], end=max(own[-1].end, turn.end))
            else:
                own.append(turn)
        result += own
    return sorted(result, key=lambda turn: (turn.start, turn.end))


def without_overlaps(turns: Iterable[Turn]) -> list[Turn]:
    """Drop the shorter of two turns that overlap."""
    kept: list[Turn] = []
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        while kept and kept[-1].end > turn.start and kept[-1].duration < turn.duration:
            kept.pop()
        if not kept or kept[-1].end <= turn.start:
            kept.append(turn)
    return kept


def with_words(turns: Iterable[Turn], words: Sequence[Word]) -> list[Turn]:
    """Return the turns in which at least one word starts."""
    starts = [word.start for word in words]

    def spoken(turn: Turn) -> bool:
        first = bisect_left(starts, turn.start)
        return first < len(starts) and starts[first] < turn.end

    return [turn for turn in turns if spoken(turn)]


def merged(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbouring turns of one speaker."""
    result: list[Turn] = []
    for turn in turns:
        if result and result[-1].speaker == turn.speaker:
            result[-1] = replace(result[-1], end=max(result[-1].end, turn.end))
        else:
            result.append(turn)
    return result


def assign_speakers(
    words: Sequence[Word], turns: Iterable[Turn], overlapping: Iterable[Turn] = ()
) -> list[Word]:
    """Return `words` with their speakers; without any turn, every word keeps its speaker (0).

    A word belongs to the turn in which it starts. Words in the gap between two turns stay with the
    last speaker while they continue a sentence. Otherwise they belong to the next.

    `overlapping` are the turns of everyone who speaks at a time. While several speak, a word
    belongs to the main speaker of its sentence, if that is one of them.
    """
    return _with_whole_sentences(_by_turns(words, turns), united(overlapping))


def _with_whole_sentences(words: Sequence[Word], overlapping: Sequence[Turn]) -> list[Word]:
    if not overlapping:
        return list(words)
    spoken = by_speaker(overlapping)
    starts = {speaker: [turn.start for turn in turns] for speaker, turns in spoken.items()}

    def turn_at(speaker: int, word: Word) -> Turn | None:
        place = bisect_left(starts.get(speaker, []), word.end + LEEWAY_SECONDS) - 1
        if place < 0 or spoken[speaker][place].end <= word.start - LEEWAY_SECONDS:
            return None
        return spoken[speaker][place]

    def speak_at_a_time(one: int, other: int, word: Word) -> bool:
        first, second = turn_at(one, word), turn_at(other, word)
        return first is not None and second is not None and first.overlaps(second)

    result: list[Word] = []
    for sentence in sentences(words):
        chief = Counter(word.speaker for word in sentence).most_common(1)[0][0]
        result += [
            word._replace(speaker=chief)
            if word.speaker != chief and speak_at_a_time(chief, word.speaker, word)
            else word
            for word in sentence
        ]
    return result


def sentences(words: Iterable[Word]) -> Iterator[list[Word]]:
    """Yield sentences; each ends at a punctuation mark or a pause."""
    sentence: list[Word] = []
    for word in words:
        if sentence and word.start - sentence[-1].end > PAUSE_SECONDS:
            yield sentence
            sentence = []
        sentence.append(word)
        if word.ends_sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _by_turns(words: Sequence[Word], turns: Iterable[Turn]) -> list[Word]:
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
    """Return whether a word is in the gap after `turn`, or later.

    Whisper lets the first word of a sentence begin in the pause before it. So a word that is still
    spoken when the next turn starts counts as in the gap, although it starts earlier.
    """
    return word.start >= turn.end or (word.start > turn.start and word.end > following.start)


def _continues(before: Sequence[Word], word: Word) -> bool:
    if not before or before[-1].ends_sentence:
        return False
    return not word.text.strip()[:1].isupper()


def numbered_by_appearance(words: Iterable[Word]) -> list[Word]:
    """Return the words with speakers numbered 0, 1, … in the order in which they first speak."""
    numbers: dict[int, int] = {}
    return [word._replace(speaker=numbers.setdefault(word.speaker, len(numbers))) for word in words]
