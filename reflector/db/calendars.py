"""Define the table of events that calendars of rooms have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now


class CalendarEvent(Base):
    """One event, or one occurrence of a recurring one: then `ics_uid` ends in `/` and its time.

    `attendees` are `{name, email, status, role}`. An event that is taken out of the calendar is
    kept, as `is_deleted`.
    """

    __tablename__ = "calendar_event"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    ics_uid: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    start_time: Mapped[datetime]
    end_time: Mapped[datetime]
    attendees: Mapped[list[Any] | None] = mapped_column(JSON)
    location: Mapped[str | None] = mapped_column(Text)
    last_synced: Mapped[datetime] = mapped_column(default=now)
    is_deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    __table_args__ = (
        UniqueConstraint("room_id", "ics_uid", name="uq_room_calendar_event"),
        Index("idx_calendar_event_room_start", "room_id", "start_time"),
    )
