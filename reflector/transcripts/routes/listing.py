"""List transcripts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from fastapi_pagination import Page
from sqlalchemy.orm import Session

from reflector.db.changes import settled
from reflector.db.models import SourceKind, Transcript
from reflector.http.deps import PublicCaller, ResponseCacheDep
from reflector.transcripts import queries, schemas

router = APIRouter(tags=["transcripts"])

# The largest `change_seq` that the databases accept
MAX_BIGINT = 2**63 - 1


@router.get("/transcripts", response_model=Page[schemas.GetTranscriptMinimal])
def transcripts_list(
    caller: PublicCaller,
    cache: ResponseCacheDep,
    source_kind: SourceKind | None = None,
    room_id: str | None = None,
    search_term: str | None = None,
    change_seq_from: int | None = None,
    sort_by: Literal["created_at", "change_seq"] | None = None,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Response:
    """List own transcripts and those of shared rooms, the newest first.

    `sort_by=change_seq` with `change_seq_from` gives a feed of everything that changed since.
    """
    filters: list[Any] = [Transcript.deleted_at.is_(None)]
    if source_kind:
        filters.append(Transcript.source_kind == source_kind)
    if room_id:
        filters.append(Transcript.room_id == room_id)
    if search_term:
        filters.append(Transcript.title.icontains(search_term, autoescape=True))
    if change_seq_from is not None:
        after = max(-MAX_BIGINT, min(change_seq_from, MAX_BIGINT))
        filters.append(Transcript.change_seq > after)
    by_change = sort_by == "change_seq"
    order = Transcript.change_seq.asc() if by_change else Transcript.created_at.desc()

    def make(session: Session) -> dict[str, Any]:
        if (by_change or change_seq_from is not None) and (only := settled(session)) is not None:
            filters.append(only)
        return queries.page_of(session, caller, filters, order, page, size)

    key = ("list", source_kind, room_id, search_term, change_seq_from, sort_by, page, size)
    return cache.answer(caller, key, make)
