"""List transcripts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from fastapi_pagination import Page
from sqlalchemy.orm import Session

from reflector.db.changes import settled
from reflector.db.models import SourceKind, Transcript
from reflector.http.deps import PublicCaller, ResponseCacheDep, ServicesDep
from reflector.transcripts import queries, schemas, work

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


@router.get("/transcripts/same")
def transcripts_same(
    services: ServicesDep,
    caller: PublicCaller,
    fingerprint: Annotated[str, Query(min_length=1, max_length=100)],
) -> list[schemas.SameRecording]:
    """Extra: find your transcripts of the recording with this fingerprint, the newest first."""
    with services.db.read() as session:
        rows = queries.of_recording(session, caller, fingerprint)
        return [
            schemas.SameRecording(
                id=row.id, title=queries.title_of(row), created_at=queries.iso(row.created_at)
            )
            for row in rows
        ]


@router.get("/work")
def work_list(services: ServicesDep, caller: PublicCaller) -> list[schemas.WorkView]:
    """Extra: list what waits or is being processed of what you see in lists, in its order."""
    with services.db.read() as session:
        return [schemas.WorkView(**each) for each in work.listed_for(session, caller)]
