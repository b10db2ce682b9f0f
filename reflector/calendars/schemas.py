"""Define bodies of responses about calendars, with the fields of the reference."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel


class CalendarEventResponse(BaseModel):
    """An event. Only who may change the room sees its description and attendees."""

    id: str
    room_id: str
    ics_uid: str
    title: str | None = None
    description: str | None = None
    start_time: datetime
    end_time: datetime
    attendees: list[dict[str, Any]] | None = None
    location: str | None = None
    last_synced: datetime
    created_at: datetime
    updated_at: datetime


class SyncStatus(StrEnum):
    SUCCESS = "success"
    UNCHANGED = "unchanged"
    ERROR = "error"
    SKIPPED = "skipped"


class ICSSyncResult(BaseModel):
    """What one synchronisation did. `events_found` are those of the room, of `total_events`."""

    status: SyncStatus
    hash: str | None = None
    events_found: int = 0
    total_events: int = 0
    events_created: int = 0
    events_updated: int = 0
    events_deleted: int = 0
    error: str | None = None
    reason: str | None = None


class ICSStatus(BaseModel):
    status: Literal["enabled", "disabled"]
    last_sync: datetime | None = None
    next_sync: datetime | None = None
    last_etag: str | None = None
    events_count: int = 0
    problem_parts: list[tuple[str, dict[str, Any]]] | None = None
