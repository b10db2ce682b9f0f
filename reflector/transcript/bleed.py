"""Remove what is in a track of a recording only because loudspeakers have played another one."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from reflector.transcript.assembly import sentences
from reflector.transcript.words import Word

# What loudspeakers play is in the microphone's track a little later; times of words are off as well
BLEED_SECONDS = 0.6
# So many words in a row are hardly said by two at the same time
BLEED_WORDS = 3
# A single word can be: it has to be so many times quieter (in energy) to be an echo
CLEARLY = 4.0

Level = Callable[[int, float, float], float]
"""The energy of a track from one second to another."""


def without_bleed(tracks: Sequence[Sequence[Word]], level: Level) -> list[list[Word]]:
    """Return the words of each track without those of another one.

    Such words are the same at the same time, and they are quieter. As loud ones are removed from
    the track that comes first, which is the microphone. What two tracks have stays in one of them.
    """
    kept = [list(words) for words in tracks]
    for number in range(len(kept)):
        said = [_places(words) for other, words in enumerate(tracks) if other != number]
        runs = _runs(kept, number, said, level)
        kept[number] = [word for is_echo, run in runs if not is_echo for word in run]
    return kept


def _runs(
    tracks: Sequence[Sequence[Word]],
    number: int,
    said: Sequence[dict[str, list[float]]],
    level: Level,
) -> Iterator[tuple[bool, list[Word]]]:
    """Yield the words of a track in pieces, each with whether it is another track's echo.

    `said` are the words of the other tracks as they were at first.
    """
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
        lengths = [len(run) for (_, run), is_echo in zip(runs, echoes, strict=True) if is_echo]
        # Then what is left of it was misheard
        is_mostly_echo = max(lengths, default=0) >= BLEED_WORDS and 2 * sum(lengths) > len(sentence)
        for (_, run), is_echo in zip(runs, echoes, strict=True):
            is_said = any(_is_said(word, places) for word in run for places in said)
            yield is_echo or (is_mostly_echo and not is_said and is_quieter(run, 1.0)), run


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
