"""Split text into sentences, and long sentences into parts that fit a translation model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

# After . ! ? … and the marks of Chinese, Japanese, Hindi, Arabic, with closing quotes or brackets
_END = re.compile(r"(?<=[.!?…؟।])[\"'”’»)\]]*\s+|(?<=[。！？])[”」』]*")


def sentences(line: str) -> list[str]:
    """Return the sentences of a line, without the space between."""
    starts = [0, *(match.end() for match in _END.finditer(line)), len(line)]
    parts = (line[first:last].strip() for first, last in pairwise(starts))
    return [part for part in parts if part]


def fitting(sentence: str, limit: int, length: Callable[[str], int]) -> Iterator[str]:
    """Yield the sentence in parts of at most `limit` by `length`.

    It is cut between words, in the middle first. A longer single word stays whole; the model
    truncates it.
    """
    words = sentence.split()
    if length(sentence) <= limit or len(words) < 2:
        yield sentence
        return
    middle = len(words) // 2
    for half in (words[:middle], words[middle:]):
        yield from fitting(" ".join(half), limit, length)
