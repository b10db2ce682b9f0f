"""Cut snippets around the matches of a search."""

from __future__ import annotations

from dataclasses import dataclass, field

from reflector.search.languages import normalised, stems
from reflector.search.query import Query

MAX_SNIPPETS = 3
FROM_SUMMARY = 2
LENGTH = 150
CONTEXT = 50


@dataclass(frozen=True)
class Found:
    """The snippets of a text. `count` is how often the words occur, ignoring case."""

    snippets: list[str] = field(default_factory=list)
    count: int = 0


def find(query_text: str, query: Query, language: str, summary: str, body: str) -> Found:
    """Return at most three snippets, up to two from the summary first; none for an empty query."""
    if query.is_empty:
        return Found()
    needles = _needles(query_text, query, language)
    in_summary = _places(summary, needles)
    in_body = _places(body, needles)
    snippets = _cut(summary, in_summary, FROM_SUMMARY)
    snippets += _cut(body, in_body, MAX_SNIPPETS - len(snippets))
    return Found(snippets, len(in_summary) + len(in_body))


def _needles(query_text: str, query: Query, language: str) -> list[str]:
    """Return the texts to look for, the best first: as typed, the words, their stems."""
    typed = " ".join(normalised(query_text).lower().replace('"', " ").split())
    return [typed, *query.wanted, *(stems(words, language) for words in query.wanted)]


def _places(text: str, needles: list[str]) -> list[tuple[int, int]]:
    """Return all places `[start, end)` of the first needle that occurs."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # Some capitals become two letters (İ): positions must stay those of the text
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    for needle in needles:
        found = []
        start = lowered.find(needle) if needle else -1
        while start >= 0:
            found.append((start, start + len(needle)))
            start = lowered.find(needle, start + len(needle))
        if found:
            return found
    return []


def _cut(text: str, places: list[tuple[int, int]], limit: int) -> list[str]:
    snippets: list[str] = []
    last = -1
    for start, _end in places:
        if len(snippets) == limit:
            break
        if start < last:
            continue
        first = max(0, start - CONTEXT, last)
        last = min(len(text), first + LENGTH)
        piece = " ".join(text[first:last].split())
        snippets.append(f"{'...' if first > 0 else ''}{piece}{'...' if last < len(text) else ''}")
    return snippets
