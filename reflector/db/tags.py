"""Define the tables of tags."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now, transcript_key


class Tag(Base):
    """A tag of one person; without accounts (`user_id` is None) it is everybody's."""

    __tablename__ = "tag"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str | None]
    name: Mapped[str]
    colour: Mapped[int] = mapped_column(doc="one of the colours of style.css, counted from 0")
    created_at: Mapped[datetime] = mapped_column(default=now)
    vocabulary: Mapped[str | None] = mapped_column(Text, doc="names and jargon to expect")
    language: Mapped[str | None] = mapped_column(doc="where that of a recording is not chosen")
    summary_template_id: Mapped[str | None]
    retention_days: Mapped[int | None] = mapped_column(
        doc="older recordings of its owner go to the trash"
    )

    __table_args__ = (Index("idx_tag_user_id", "user_id"),)


class TranscriptTag(Base):
    __tablename__ = "transcript_tag"

    transcript_id: Mapped[str] = transcript_key(primary_key=True)
    tag_id: Mapped[str] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("idx_transcript_tag_tag_id", "tag_id", "transcript_id"),)
