"""Parse the text of a search like PostgreSQL's `websearch_to_tsquery`.

All words are wanted, `"a phrase"` in this order. `or` separates alternatives, `-word` is unwanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from reflector.errors import InvalidInput
from reflector.search.languages import plain

MAX_WORDS, MAX_CHARACTERS = 50, 1000
TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')


@dataclass(frozen=True)
class Term:
    """Words that must follow each other, separated by single spaces."""

    words: str
    unwanted: bool = False


Group = tuple[Term, ...]


@dataclass(frozen=True)
class Query:
    """Groups of terms. A document matches if it matches all terms of any one group."""

    groups: tuple[Group, ...]

    @property
    def is_empty(self) -> bool:
        return not self.groups

    @property
    def wanted(self) -> list[str]:
        return [term.words for group in self.groups for term in group if not term.unwanted]

    def websearch(self, form: Callable[[str], str]) -> str:
        """Return the query for `websearch_to_tsquery`, which parses it to exactly this query.

        `form` turns words into the form that the index holds.
        """
        return " or ".join(
            " ".join(f'{"-" if term.unwanted else ""}"{form(term.words)}"' for term in group)
            for group in self.groups
        )


def parse(text: str) -> Query:
    """Parse the text of a search.

    Raises InvalidInput if it is too long: each word costs an index lookup.
    """
    if len(text) > MAX_CHARACTERS or len(text.split()) > MAX_WORDS:
        raise InvalidInput(
            "A search has at most {words} words and {characters} characters.",
            "Search for a few words of the sentence.",
            words=MAX_WORDS,
            characters=MAX_CHARACTERS,
        )
    groups: list[list[Term]] = [[]]
    for minus, phrase, word in TOKEN.findall(text):
        if word.lower() == "or":
            groups.append([])
            continue
        unwanted = bool(minus) or word.startswith("-")
        # `follow-up` becomes two words in this order, as in indexed text
        if words := plain(word or phrase):
            groups[-1].append(Term(words, unwanted))
    return Query(tuple(tuple(group) for group in groups if group))
