"""Define the tables.

A transcript has runs: one each time it is processed. A run has one row for each step. What the
steps found belongs to the run, so a new run builds its result beside the one on show and replaces
it in one transaction (`Transcript.shown_run`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    FetchedValue,
    Float,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from reflector.db.base import (
    Base,
    RowNumber,
    ShareLevel,
    ShareMode,
    SourceKind,
    Status,
    StepState,
    UTCDateTime,
    new_id,
    now,
    transcript_key,
)
from reflector.db.calendars import CalendarEvent
from reflector.db.mail import Mail
from reflector.db.notes import Note
from reflector.db.people import LoginAttempt, LoginSession, User, UserApiKey
from reflector.db.rooms import Meeting, Recording, Room
from reflector.db.shares import ShareLink, TranscriptShare
from reflector.db.summary_templates import SummaryTemplate
from reflector.db.tags import Tag, TranscriptTag
from reflector.db.webhooks import Webhook, WebhookDelivery, WebhookTarget

__all__ = [
    "Base", "CalendarEvent", "Deletion", "Edit", "Event", "LoginAttempt", "LoginSession", "Mail", "Meeting", "Note", "Participant", "Recording",
    "Room", "SearchDocument", "ShareLevel", "ShareLink", "ShareMode", "SourceKind", "Status", "Step", "StepState", "SummaryTemplate", "Tag",
    "Topic", "Transcript", "TranscriptShare", "TranscriptTag", "UTCDateTime", "User", "UserApiKey", "Webhook",
    "WebhookDelivery", "WebhookTarget", "Words", "new_id", "now",
]  # fmt: skip


class Transcript(Base):
    __tablename__ = "transcript"

    id: Mapped[str] = mapped_column(String, primary_key=True, default=new_id)
    name: Mapped[str]
    status: Mapped[str] = mapped_column(default=Status.IDLE)
    locked: Mapped[bool] = mapped_column(default=False)
    duration: Mapped[float] = mapped_column(Float, default=0.0, doc="milliseconds")
    created_at: Mapped[datetime] = mapped_column(default=now)
    title: Mapped[str | None]
    short_summary: Mapped[str | None] = mapped_column(Text)
    long_summary: Mapped[str | None] = mapped_column(Text)
    action_items: Mapped[dict[str, Any] | None]
    source_language: Mapped[str | None]
    target_language: Mapped[str | None]
    reviewed: Mapped[bool] = mapped_column(default=False)
    user_id: Mapped[str | None]
    share_mode: Mapped[str] = mapped_column(default=ShareMode.PRIVATE)
    meeting_id: Mapped[str | None]
    recording_id: Mapped[str | None]
    zulip_message_id: Mapped[int | None]
    source_kind: Mapped[str]
    audio_deleted: Mapped[bool | None]
    room_id: Mapped[str | None]
    change_seq: Mapped[int] = mapped_column(
        BigInteger,
        default=0,
        server_onupdate=FetchedValue(),
        doc="set by a trigger at every insert and update",
    )
    upload_key: Mapped[str | None] = mapped_column(doc="the recording in storage, as it came")
    upload_version: Mapped[str | None] = mapped_column(doc="another value for another recording")
    has_tracks: Mapped[bool | None] = mapped_column(
        doc="the left channel of the recording is a microphone, and the right one what was shared"
    )
    shown_run: Mapped[int | None] = mapped_column(doc="the run whose result is on show")
    last_run: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    edits: Mapped[dict[str, Any] | None] = mapped_column(
        doc="what people changed, which a new run keeps: `db/edits.py`"
    )
    options: Mapped[dict[str, Any] | None] = mapped_column(
        doc="how its owner wants it processed: `pipeline/options.py`"
    )
    fingerprint: Mapped[str | None] = mapped_column(
        doc="of its recording, as its client made it, to recognise the same one"
    )
    deleted_at: Mapped[datetime | None] = mapped_column(doc="in the trash since")
    restored_at: Mapped[datetime | None] = mapped_column(doc="retention counts from here")
    shares: Mapped[list[TranscriptShare]] = relationship(viewonly=True)

    __table_args__ = (
        Index("idx_transcript_created_at", "created_at"),
        Index(
            "idx_transcript_user_id_created_at",
            "user_id",
            "created_at",
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index("idx_transcript_room_id_created_at", "room_id", "created_at"),
        Index("idx_transcript_source_kind", "source_kind"),
        Index("idx_transcript_recording_id", "recording_id"),
        Index("idx_transcript_change_seq", "change_seq"),
        Index("idx_transcript_status", "status"),
        Index("idx_transcript_fingerprint", "fingerprint"),
    )


class Participant(Base):
    __tablename__ = "participant"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    transcript_id: Mapped[str] = transcript_key(index=True)
    position: Mapped[int] = mapped_column(default=0)
    speaker: Mapped[int | None]
    name: Mapped[str]
    user_id: Mapped[str | None]


class Words(Base):
    """All words of a run in one value: `[[text, start, end, speaker], …]`, times in seconds.

    `segments` are made of them and have the same form. They are stored because nearly every reader
    wants them.
    """

    __tablename__ = "words"

    transcript_id: Mapped[str] = transcript_key(primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[list[Any]] = mapped_column(JSON, deferred=True)
    segments: Mapped[list[Any] | None] = mapped_column(JSON, deferred=True)
    unsure: Mapped[list[Any] | None] = mapped_column(
        JSON, deferred=True, doc="`[[start, text, probability], …]` of words to look at"
    )


class Topic(Base):
    """A topic: the words `[first_word, last_word)` of its run."""

    __tablename__ = "topic"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    transcript_id: Mapped[str] = transcript_key()
    run: Mapped[int]
    position: Mapped[int]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(Text)
    timestamp: Mapped[float]
    duration: Mapped[float | None]
    first_word: Mapped[int]
    last_word: Mapped[int]

    __table_args__ = (Index("idx_topic_transcript_run", "transcript_id", "run", "position"),)


class Edit(Base):
    """A change that a person made. `transcripts/history.py` says what `before` and `after` hold."""

    __tablename__ = "edit"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = transcript_key()
    user_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    marks: Mapped[dict[str, Any] | None] = mapped_column(doc="`Transcript.edits` before it")
    run: Mapped[int | None] = mapped_column(doc="the run whose words it changed")

    __table_args__ = (Index("idx_edit_transcript_id", "transcript_id", "id"),)


class Event(Base):
    __tablename__ = "event"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = transcript_key()
    run: Mapped[int]
    name: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_event_transcript_run", "transcript_id", "run", "id"),)


class Step(Base):
    """One step of one run: the source of truth for what is done, running and to do."""

    __tablename__ = "step"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = transcript_key()
    run: Mapped[int]
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default=StepState.PENDING)
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    nudged_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    digest: Mapped[str | None] = mapped_column(doc="SHA-256 of all that the output depends on")
    output: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    remarks: Mapped[dict[str, Any] | None] = mapped_column(
        doc="the small part of the output: how it was made"
    )
    error: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("transcript_id", "run", "name", name="uq_step"),
        Index("idx_step_state", "state", "lease_until"),
        Index("idx_step_digest", "transcript_id", "name", "digest"),
    )


class SearchDocument(Base):
    """The text on show, as search sees it.

    PostgreSQL computes `vector` from it with the configuration of the text's language. On SQLite,
    an FTS5 table holds an entry with the same row number (`reflector/search/`).
    """

    __tablename__ = "search_document"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = transcript_key(unique=True)
    language: Mapped[str] = mapped_column(doc="a text search configuration, `simple` if unknown")
    title: Mapped[str] = mapped_column(Text, default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[str] = mapped_column(Text, default="")


class Deletion(Base):
    """Stored objects to delete, kept until the storage confirms that they are gone."""

    __tablename__ = "deletion"

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    prefix: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(default=now)
    error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("idx_deletion_due_at", "due_at"),)


class SchemaReader(Base):
    """One row: the oldest schema revision that a program must know to use this database."""

    __tablename__ = "schema_reader"

    oldest: Mapped[str] = mapped_column(primary_key=True)
