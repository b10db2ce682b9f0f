"""Give corrected text the times of the words that it replaces.

Words that stayed keep their times. A replaced stretch keeps the times of the words that were there:
each new word takes those of the words in its place. An inserted word shares the time of the word
before it. So no time is invented, and no word begins where another speaker does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby

from reflector.transcript.words import Word, plain_text


def corrected(words: Sequence[Word], text: str) -> list[Word]:
    """Return the words of `text` with times and speakers of `words`, of which there is at least one.

    Languages without spaces are aligned by character; what comes from one word stays one word.
    """
    begun = sum(word.text.startswith(" ") for word in words[1:])
    spaced = begun * 2 >= len(words) - 1 or not plain_text(words)
    said = text.split() if spaced else [sign for sign in text if not sign.isspace()]
    old = [
        (token, index)
        for index, word in enumerate(words)
        for token in ([word.text.strip()] if spaced else word.text.strip())
    ]
    sources = list(_sources([token for token, _ in old], said))
    timed = [
        (token, words[old[a][1]].start, words[old[b][1]].end, words[old[a][1]].speaker)
        for token, (a, b) in zip(said, sources, strict=True)
    ]
    if spaced:
        return _in_order([Word(f" {token}", start, end, who) for token, start, end, who in timed])
    grouped = groupby(timed, key=lambda each: each[1:])
    return _in_order(
        [Word("".join(token for token, *_ in part), *times) for times, part in grouped]
    )


def _sources(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield for each token of `new` the first and the last token of `old` in its place."""
    before, after = ([token.casefold() for token in each] for each in (old, new))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        count, places = j_end - j, i_end - i
        for number in range(count):
            if kind == "insert":
                yield max(0, i - 1), max(0, i - 1)
            else:
                first = i + number * places // count
                yield first, max(first, i + ((number + 1) * places - 1) // count)


def _in_order(words: list[Word]) -> list[Word]:
    """Let each word end before the next one starts; of several at one place, the last has its length."""
    for index in range(len(words) - 1):
        following = words[index + 1].start
        if words[index].end > following:
            words[index] = words[index]._replace(end=max(words[index].start, following))
    return words
