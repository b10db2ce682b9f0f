"""Define the table of summary templates."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import Base, new_id, now


class SummaryTemplate(Base):
    """What a summary should contain, in the words of a person.

    It belongs to one person, or to everybody if an administrator wrote it so. Recordings and tags
    name it by its id, and do without it once it is removed.
    """

    __tablename__ = "summary_template"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str | None]
    is_for_all: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str]
    instructions: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (Index("idx_summary_template_user_id", "user_id"),)
