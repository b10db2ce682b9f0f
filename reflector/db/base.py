"""Define what all tables share: identifiers, times and the choices in columns."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

# SQLite assigns row numbers itself only to a column of type INTEGER
RowNumber = BigInteger().with_variant(Integer, "sqlite")


def new_id() -> str:
    return str(uuid.uuid4())


def now() -> datetime:
    return datetime.now(UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """Store and return aware datetimes in UTC.

    SQLite drops the time zone, and PostgreSQL answers in the zone of its session.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Status(StrEnum):
    IDLE = "idle"
    UPLOADED = "uploaded"
    RECORDING = "recording"
    PROCESSING = "processing"
    ERROR = "error"
    ENDED = "ended"


class SourceKind(StrEnum):
    ROOM = "room"
    LIVE = "live"
    FILE = "file"


class ShareMode(StrEnum):
    PRIVATE = "private"
    SEMI_PRIVATE = "semi-private"
    PUBLIC = "public"


class ShareLevel(StrEnum):
    """What a person may do with a transcript that its owner shares with them."""

    VIEW = "view"
    EDIT = "edit"


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (StepState.DONE, StepState.FAILED)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UTCDateTime(), dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


def transcript_key(**options: Any) -> Mapped[str]:
    return mapped_column(ForeignKey("transcript.id", ondelete="CASCADE"), **options)
