"""Find the documents that match a query, ranked between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    Float,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG, TSVECTOR
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Subquery, literal_column

from reflector.db.models import SearchDocument
from reflector.search.index import for_postgresql, postgresql_configuration
from reflector.search.languages import CONFIGURATIONS, NO_STEMS, for_index, stems
from reflector.search.query import Group, Query, Term

ALL = sorted({*CONFIGURATIONS.values(), NO_STEMS})
NORMALISATION = 32  # option of ts_rank: rank / (rank + 1)
WEIGHTS = {"title": 1.0, "summary": 0.4, "body": 0.2}  # PostgreSQL's own for A, B, C


def languages_of(session: Session) -> list[str]:
    """Return the languages of the indexed documents."""
    if session.get_bind().dialect.name != "postgresql":
        return list(session.scalars(select(SearchDocument.language).distinct()))
    # Look each possible language up in the index instead of reading every row
    names = select(func.unnest(literal(ALL, ARRAY(String))).label("name")).subquery()
    there = select(SearchDocument.id).where(SearchDocument.language == names.c.name).exists()
    return list(session.scalars(select(names.c.name).where(there)))


def matches(session: Session, query: Query) -> Subquery:
    """Return `(transcript_id, rank)` of all documents that match."""
    languages = languages_of(session)
    if session.get_bind().dialect.name == "postgresql":
        return _on_postgresql(query, languages)
    return _on_sqlite(query, languages)


def _on_postgresql(query: Query, languages: list[str]) -> Subquery:
    vector: ColumnElement[Any] = literal_column("search_document.vector", TSVECTOR)
    conditions, ranks = [], []
    for language in languages:
        config = cast(literal(postgresql_configuration(language)), REGCONFIG)
        form = partial(for_postgresql, language=language)
        asked = func.websearch_to_tsquery(config, query.websearch(form))
        is_language = SearchDocument.language == language
        conditions.append(and_(is_language, vector.op("@@")(asked)))
        ranks.append((is_language, func.ts_rank(vector, asked, NORMALISATION)))
    rank = _case(ranks)
    return (
        select(SearchDocument.transcript_id, rank.label("rank"))
        .where(or_(false(), *conditions))
        .subquery()
    )


def _case(ranks: Sequence[tuple[ColumnElement[bool], ColumnElement[Any]]]) -> ColumnElement[Any]:
    if len(ranks) == 1:
        return ranks[0][1]
    return case(*ranks, else_=0.0) if ranks else cast(literal(0.0), Float)


def _on_sqlite(query: Query, languages: list[str]) -> Subquery:
    conditions = [
        and_(SearchDocument.language == language, or_(*(_group(g, language) for g in query.groups)))
        for language in languages
    ]
    ranks = [
        (SearchDocument.language == language, _weighed(query, language)) for language in languages
    ]
    score = _case(ranks)
    rank = score / (score + 1.0)
    return (
        select(SearchDocument.transcript_id, rank.label("rank"))
        .where(or_(false(), *conditions))
        .subquery()
    )


def _weighed(query: Query, language: str) -> ColumnElement[Any]:
    """Return the sum of the weights of the columns that contain each wanted word.

    FTS5's own bm25 is not suitable: how rare a word is in one language says nothing about the same
    word in another.
    """
    parts: list[ColumnElement[Any]] = [
        case((_has(Term(words), language, column), weight), else_=0.0)
        for words in query.wanted
        for column, weight in WEIGHTS.items()
    ]
    return sum(parts[1:], start=parts[0]) if parts else literal(0.0)


def _group(group: Group, language: str) -> ColumnElement[bool]:
    parts = [_has(term, language) for term in group]
    return and_(*(not_(p) if t.unwanted else p for p, t in zip(parts, group, strict=True)))


def _has(term: Term, language: str, column: str | None = None) -> ColumnElement[bool]:
    wanted = _phrase(term, language)
    rows: Select[Any] = select(literal_column("rowid")).select_from(text("search_index"))
    match = literal_column("search_index").op("MATCH")(f"{column} : {wanted}" if column else wanted)
    return SearchDocument.id.in_(rows.where(match))


def _phrase(term: Term, language: str) -> str:
    """Return the phrase in FTS5's query syntax; words hold letters and digits only."""
    return f'"{for_index(stems(term.words, language))}"'
