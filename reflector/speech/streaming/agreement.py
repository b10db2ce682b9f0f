"""Decide which words of a growing window are final (LocalAgreement).

A word is final when two passes in a row agree on it and on all before it (Liu et al. 2020,
"Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis
Selection"; for Whisper: Macháček et al. 2023, "Turning Whisper into Real-Time Transcription
System").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reflector.transcript.words import Word

NO_LETTERS = re.compile(r"[\W_]+")
# The recogniser hears the end of a final word again when the window was cut there. What begins
# later is said again on purpose
OVERLAP_SECONDS = 0.05
LONGEST_REPEAT = 5


def agreed(before: Sequence[Word], now: Sequence[Word]) -> int:
    """Return how many words at the start of both are alike, but for case and punctuation."""
    count = 0
    for old, new in zip(before, now, strict=False):
        if plain(old) != plain(new):
            break
        count += 1
    return count


def after(words: Sequence[Word], final: Sequence[Word], until: float) -> list[Word]:
    """Return the words after those that are `final` and end at second `until`.

    Times of a word differ a little from pass to pass, so words that repeat the last final ones are
    left out, too.
    """
    rest = [word for word in words if (word.start + word.end) / 2 > until]
    if not rest or not final or rest[0].start > until + OVERLAP_SECONDS:
        return rest
    for count in range(min(LONGEST_REPEAT, len(final), len(rest)), 0, -1):
        if [plain(w) for w in final[-count:]] == [plain(w) for w in rest[:count]]:
            return rest[count:]
    return rest


def plain(word: Word) -> str:
    return NO_LETTERS.sub("", word.text.casefold()) or word.text.strip()
