"""Define the table of notes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now, transcript_key


class Note(Base):
    """A note of one person at a moment of a recording; without accounts (`user_id` is None) it is everybody's.

    Without text it is a bookmark.
    """

    __tablename__ = "note"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    transcript_id: Mapped[str] = transcript_key()
    user_id: Mapped[str | None]
    at: Mapped[float] = mapped_column(doc="seconds from the beginning")
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_note_transcript_id_user_id", "transcript_id", "user_id"),)
