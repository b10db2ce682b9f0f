"""Define the response of a search, with the same fields as the reference."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from reflector.db.models import SourceKind, Status
from reflector.http.schemas import NonEmpty


class SearchResult(BaseModel):
    """One match. `duration` is in milliseconds; `rank` is 1.0 if nothing was searched for."""

    id: NonEmpty
    title: str | None = None
    name: str | None = None
    user_id: str | None = None
    room_id: str | None = None
    room_name: str | None = None
    source_kind: SourceKind
    created_at: str
    status: Status
    rank: Annotated[float, Field(ge=0, le=1)]
    duration: Annotated[float, Field(ge=0)] | None
    search_snippets: list[str]
    total_match_count: Annotated[int, Field(ge=0)] = 0
    change_seq: int | None = None


class SearchResponse(BaseModel):
    results: list[SearchResult]
    total: Annotated[int, Field(ge=0)]
    query: NonEmpty | None = None
    limit: Annotated[int, Field(ge=1, le=100)]
    offset: Annotated[int, Field(ge=0)]
