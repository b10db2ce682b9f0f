"""Search in titles, summaries and words."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime
from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, listed, trash_of
from reflector.db.models import Room, SearchDocument, SourceKind, Transcript
from reflector.errors import InvalidInput, Unauthenticated
from reflector.http.deps import KeptDep, PublicCaller, ServicesDep
from reflector.search import find, snippets
from reflector.search.query import Query as SearchQuery
from reflector.search.query import parse
from reflector.transcripts import schemas
from reflector.transcripts.listing import count
from reflector.transcripts.views import ROOM_NAME, iso, without_strangers

router = APIRouter(tags=["transcripts"])

MAX_OFFSET = 2**31 - 1
_FIELDS = ["id", "title", "user_id", "room_id", "source_kind", "created_at", "status", "duration",
           "change_seq"]  # fmt: skip


@router.get("/transcripts/search", response_model=schemas.SearchResponse)
def transcripts_search(
    services: ServicesDep,
    caller: PublicCaller,
    kept: KeptDep,
    q: Annotated[str, Query(description='Words, a "phrase", or, -without; empty for all')],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    room_id: str | None = None,
    source_kind: SourceKind | None = None,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
    include_deleted: bool = False,
) -> Response:
    """The best matches first; without words the newest. `include_deleted` looks in one's own trash
    only, the last deleted first."""
    if from_ and to and from_ > to:
        raise InvalidInput("'from' must be less than or equal to 'to'")
    if include_deleted and caller.is_anonymous and services.identity.policy.has_accounts:
        raise Unauthenticated("Not authenticated")
    conditions: list[Any] = (
        [Transcript.deleted_at.is_not(None), trash_of(caller)]
        if include_deleted
        else [Transcript.deleted_at.is_(None)]
    )
    if room_id:
        conditions.append(Transcript.room_id == room_id)
    if source_kind:
        conditions.append(Transcript.source_kind == source_kind)
    if from_:
        conditions.append(Transcript.created_at >= from_)
    if to:
        conditions.append(Transcript.created_at <= to)
    query = parse(q)
    typed = " ".join(q.split())

    def make(session: Session) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        total = 0
        if not (typed and query.is_empty):  # where only punctuation was typed nothing matches
            page = (limit, min(offset, MAX_OFFSET))
            rows, total = _rows(session, caller, query, conditions, page, include_deleted)
        return {
            "results": [without_strangers(_result(row, typed, query), caller) for row in rows],
            "total": total,
            "query": typed or None,
            "limit": limit,
            "offset": offset,
        }

    key = ("search", q, limit, offset, room_id, source_kind, from_, to, include_deleted)
    return kept.answer(caller, key, make)


def _rows(
    session: Session,
    caller: Caller,
    query: SearchQuery,
    filters: list[Any],
    page: tuple[int, int],
    trash: bool,
) -> tuple[list[Any], int]:
    conditions = filters if trash else [*filters, listed(caller)]
    matches: Any = None if query.is_empty else find.matches(session, query)
    rank = literal(1.0).label("rank") if matches is None else matches.c.rank
    found = select(*(getattr(Transcript, name) for name in _FIELDS), ROOM_NAME, rank)
    found = found.outerjoin(Room, Room.id == Transcript.room_id).where(*conditions)
    order: list[Any] = [Transcript.created_at.desc()]
    if matches is not None:
        # Every match is ranked anyway: counting them there saves looking for them twice
        found = found.add_columns(func.count().over().label("total"))
        found = found.join(matches, matches.c.transcript_id == Transcript.id)
        order = [matches.c.rank.desc(), *order]
    if trash:
        order = [Transcript.deleted_at.desc()]
    limit, offset = page
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


def _result(row: dict[str, Any], typed: str, query: SearchQuery) -> dict[str, Any]:
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
