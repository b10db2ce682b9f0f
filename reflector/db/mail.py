"""Define the table of e-mail that is sent."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.attempts import Attempts
from reflector.db.base import Base, new_id


class Mail(Attempts, Base):
    """A transcript for one recipient. It is written when it is sent; the record outlives its transcript.

    `room_id` is the room that asked for it, and `user_id` the person ("" without accounts) who did.
    """

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    transcript_id: Mapped[str]
    room_id: Mapped[str | None]
    user_id: Mapped[str | None]
    recipient: Mapped[str]
    language: Mapped[str]

    __table_args__ = (
        Index("idx_mail_transcript_id", "transcript_id", "recipient"),
        Index("idx_mail_user_id", "user_id", "created_at"),
    )
