"""Define the tables of sharing: with people who have an account, and by link."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now, transcript_key


class TranscriptShare(Base):
    """A transcript shared with one account. `level` is a `ShareLevel`."""

    __tablename__ = "transcript_share"

    transcript_id: Mapped[str] = transcript_key(primary_key=True)
    user_id: Mapped[str] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    level: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_transcript_share_user_id", "user_id", "transcript_id"),)


class ShareLink(Base):
    """A link that opens a transcript for reading, to anybody who has it.

    A link is never changed, only removed, so that a browser that has opened it need not prove again
    that it knew the password.
    """

    __tablename__ = "share_link"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    transcript_id: Mapped[str] = transcript_key(index=True)
    token: Mapped[str] = mapped_column(unique=True, doc="in clear: the owner copies it again")
    with_sound: Mapped[bool]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    last_opened_at: Mapped[datetime | None]
