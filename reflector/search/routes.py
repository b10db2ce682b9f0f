"""Search in titles, summaries and words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from reflector.accounts.access import trash_of
from reflector.db.models import Participant, SourceKind, Status, Transcript
from reflector.errors import InvalidInput, Unauthenticated
from reflector.http.deps import PublicCaller, ResponseCacheDep, ServicesDep
from reflector.search import results, schemas
from reflector.search.query import parse
from reflector.tags.queries import has_tag
from reflector.transcripts.queries import without_strangers

router = APIRouter(tags=["transcripts"])

MAX_OFFSET = 2**31 - 1


@router.get("/transcripts/search", response_model=schemas.SearchResponse)
def transcripts_search(
    services: ServicesDep,
    caller: PublicCaller,
    cache: ResponseCacheDep,
    q: Annotated[str, Query(description='Words, a "phrase", or, -without; empty for all')],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    room_id: str | None = None,
    source_kind: SourceKind | None = None,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
    status: Status | None = None,
    speaker: Annotated[str | None, Query(max_length=200, description="part of a name")] = None,
    owner: Annotated[Literal["me", "others"] | None, Query(description="whose they are")] = None,
    tag: Annotated[str | None, Query(description="id of one of your tags")] = None,
    include_deleted: bool = False,
) -> Response:
    """Return the best matches first, or the newest transcripts if nothing is searched for.

    `status`, `speaker`, `owner` and `tag` are extra. `include_deleted` searches only the caller's own trash, the last deleted first.
    """
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
    if status:
        conditions.append(Transcript.status == status)
    if speaker and speaker.strip():
        conditions.append(_names(speaker.strip()))
    if owner == "me":
        conditions.append(Transcript.user_id == caller.user_id)
    elif owner == "others":
        conditions.append(Transcript.user_id.is_distinct_from(caller.user_id))
    if tag:
        conditions.append(has_tag(caller, tag))
    query = parse(q)
    typed = " ".join(q.split())

    def make(session: Session) -> dict[str, Any]:
        found: list[dict[str, Any]] = []
        total = 0
        if not (typed and query.is_empty):  # a search for punctuation only matches nothing
            page = (limit, min(offset, MAX_OFFSET))
            found, total = results.page(session, caller, query, conditions, page, include_deleted)
        return {
            "results": [
                without_strangers(results.result(row, typed, query), caller) for row in found
            ],
            "total": total,
            "query": typed or None,
            "limit": limit,
            "offset": offset,
        }

    filters = (room_id, source_kind, from_, to, status, speaker, owner, tag)
    key = ("search", q, limit, offset, *filters, include_deleted)
    return cache.answer(caller, key, make)


def _names(part: str) -> ColumnElement[bool]:
    """Return the condition that a participant's name contains `part`."""
    people = select(Participant.transcript_id).where(
        Participant.name.icontains(part, autoescape=True)
    )
    return Transcript.id.in_(people)
