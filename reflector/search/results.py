"""Build a page of search results."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, listed
from reflector.db.models import Room, SearchDocument, Transcript
from reflector.search import find, snippets
from reflector.search.query import Query as SearchQuery
from reflector.transcripts.queries import ROOM_NAME, count, iso

_FIELDS = ["id", "title", "name", "user_id", "room_id", "source_kind", "created_at", "status", "duration",
           "change_seq"]  # fmt: skip


def page(
    session: Session,
    caller: Caller,
    query: SearchQuery,
    filters: list[Any],
    window: tuple[int, int],
    trash: bool,
) -> tuple[list[Any], int]:
    """Return the rows of a page, and the total number. `window` is limit and offset."""
    conditions = filters if trash else [*filters, listed(caller)]
    matches: Any = None if query.is_empty else find.matches(session, query)
    rank = literal(1.0).label("rank") if matches is None else matches.c.rank
    found = select(*(getattr(Transcript, name) for name in _FIELDS), ROOM_NAME, rank)
    found = found.outerjoin(Room, Room.id == Transcript.room_id).where(*conditions)
    order: list[Any] = [Transcript.created_at.desc()]
    if matches is not None:
        # Every match is ranked anyway: counting them here saves a second search
        found = found.add_columns(func.count().over().label("total"))
        found = found.join(matches, matches.c.transcript_id == Transcript.id)
        order = [matches.c.rank.desc(), *order]
    if trash:
        order = [Transcript.deleted_at.desc()]
    limit, offset = window
    one_page = found.order_by(*order, Transcript.id).limit(limit).offset(offset)
    rows = [dict(row._mapping) for row in session.execute(one_page)]
    totals = [row.pop("total", 0) for row in rows]
    if len(rows) < limit and (rows or not offset):
        total = offset + len(rows)
    elif rows and matches is not None:
        total = totals[0]
    elif matches is None and not trash:
        total = count(session, caller, filters)
    else:
        ids = found.with_only_columns(Transcript.id).subquery()
        total = session.scalar(select(func.count()).select_from(ids)) or 0
    if rows and matches is not None:
        _add_texts(session, rows)
    return rows, total


def _add_texts(session: Session, rows: list[dict[str, Any]]) -> None:
    columns = (
        SearchDocument.transcript_id, SearchDocument.language, SearchDocument.summary,
        SearchDocument.body,
    )  # fmt: skip
    ids = [row["id"] for row in rows]
    documents = session.execute(select(*columns).where(SearchDocument.transcript_id.in_(ids)))
    texts = {document.transcript_id: document for document in documents}
    for row in rows:
        row["text"] = texts.get(row["id"])


def result(row: dict[str, Any], typed: str, query: SearchQuery) -> dict[str, Any]:
    """Return a row as clients get it, with snippets of its text."""
    text = row.pop("text", None)
    found = snippets.Found()
    if text is not None:
        found = snippets.find(typed, query, text.language, text.summary, text.body)
    return {
        **row,
        "created_at": iso(row["created_at"]),
        "rank": min(1.0, max(0.0, row["rank"])),
        "search_snippets": found.snippets,
        "total_match_count": found.count,
    }
