"""Define tables of rooms, their meetings and the recordings that providers make of them.

There are no routes for meetings and recordings yet; clean-up removes what belongs to a transcript.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now
from reflector.db.webhooks import WebhookTarget


class Room(WebhookTarget, Base):
    __tablename__ = "room"

    id: Mapped[str] = mapped_column(String, primary_key=True, default=new_id)
    name: Mapped[str]
    user_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    zulip_auto_post: Mapped[bool] = mapped_column(default=False)
    zulip_stream: Mapped[str | None]
    zulip_topic: Mapped[str | None]
    is_locked: Mapped[bool] = mapped_column(default=False)
    room_mode: Mapped[str] = mapped_column(default="normal")
    recording_type: Mapped[str] = mapped_column(default="cloud")
    recording_trigger: Mapped[str] = mapped_column(default="automatic-2nd-participant")
    is_shared: Mapped[bool] = mapped_column(default=False)
    ics_url: Mapped[str | None] = mapped_column(Text)
    ics_fetch_interval: Mapped[int] = mapped_column(default=300)
    ics_enabled: Mapped[bool] = mapped_column(default=False)
    ics_last_sync: Mapped[datetime | None]
    ics_last_etag: Mapped[str | None] = mapped_column(Text, doc="SHA-256 of the feed")
    ics_next_sync: Mapped[datetime | None]
    ics_expanded_at: Mapped[datetime | None]
    ics_problem: Mapped[list[Any] | None] = mapped_column(
        JSON(none_as_null=True), doc="why it was not read last time, as `parts` of an error"
    )
    platform: Mapped[str]
    skip_consent: Mapped[bool] = mapped_column(default=False)
    email_transcript_to: Mapped[str | None]
    store_video: Mapped[bool] = mapped_column(default=False)

    @property
    def calendar_source(self) -> tuple[object, ...]:
        """What decides which events the room has."""
        return self.ics_url, self.ics_enabled, self.name, self.platform

    __table_args__ = (
        UniqueConstraint("name", name="uq_room_name"),
        Index("idx_room_is_shared", "is_shared"),
        Index("idx_room_ics_enabled", "ics_enabled"),
    )


class Meeting(Base):
    __tablename__ = "meeting"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    room_name: Mapped[str]
    room_url: Mapped[str]
    host_room_url: Mapped[str]
    start_date: Mapped[datetime]
    end_date: Mapped[datetime]
    room_id: Mapped[str] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    is_locked: Mapped[bool] = mapped_column(default=False)
    room_mode: Mapped[str] = mapped_column(default="normal")
    recording_type: Mapped[str] = mapped_column(default="cloud")
    recording_trigger: Mapped[str] = mapped_column(default="automatic-2nd-participant")
    num_clients: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    calendar_event_id: Mapped[str | None]
    calendar_metadata: Mapped[dict[str, Any] | None]
    platform: Mapped[str] = mapped_column(default="whereby")
    daily_composed_video_s3_key: Mapped[str | None]
    daily_composed_video_duration: Mapped[int | None]
    email_recipients: Mapped[list[Any] | None] = mapped_column(JSON)
    store_video: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        Index("idx_meeting_room_id", "room_id"),
        Index("idx_meeting_calendar_event", "calendar_event_id"),
    )


class Recording(Base):
    """A provider's recording. `track_keys` is None for one file, `[]` for several silent tracks."""

    __tablename__ = "recording"

    id: Mapped[str] = mapped_column(String, primary_key=True, default=new_id)
    bucket_name: Mapped[str]
    object_key: Mapped[str]
    recorded_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="pending")
    meeting_id: Mapped[str | None]
    track_keys: Mapped[list[Any] | None] = mapped_column(JSON)
    deleted_at: Mapped[datetime | None]

    __table_args__ = (Index("idx_recording_meeting_id", "meeting_id"),)
