"""Define the tables of outgoing webhooks: whom to tell, and what was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.attempts import Attempts
from reflector.db.base import Base, new_id, now


class WebhookTarget:
    """The columns of what is told about recordings: an account's webhook, or a room.

    For some time after a rotation the previous secret signs, too. While `webhook_paused_at` is set,
    deliveries wait; `webhook_problem` says why, as `parts` of an error, unless a person paused it.
    """

    webhook_url: Mapped[str | None]
    webhook_secret: Mapped[str | None]
    webhook_previous_secret: Mapped[str | None]
    webhook_previous_until: Mapped[datetime | None]
    webhook_paused_at: Mapped[datetime | None]
    webhook_problem: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    webhook_not_before: Mapped[datetime | None] = mapped_column(
        doc="it failed, or asked for a rest"
    )


class Webhook(WebhookTarget, Base):
    """A webhook of an account, for its own recordings. `events` are names of `WebhookEvent`."""

    __tablename__ = "webhook"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(index=True, doc='"" without accounts')
    events: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)


class WebhookDelivery(Attempts, Base):
    """One event for one target, until it is delivered or given up, and as a record after that.

    `id` is the message's id for the receiver. The body is made at the first attempt, and kept
    until the delivery has ended, so that all attempts send the same; it holds what was said, and
    must not outlive its recording. Exactly one of `webhook_id` and `room_id` is set.
    """

    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    webhook_id: Mapped[str | None] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    room_id: Mapped[str | None] = mapped_column(ForeignKey("room.id", ondelete="CASCADE"))
    transcript_id: Mapped[str] = mapped_column(index=True, doc="outlives the transcript")
    event: Mapped[str]
    body: Mapped[str | None] = mapped_column(Text)
    status_code: Mapped[int | None] = mapped_column(doc="of the last answer")

    __table_args__ = (
        Index("idx_webhook_delivery_webhook_id", "webhook_id", "created_at"),
        Index("idx_webhook_delivery_room_id", "room_id", "created_at"),
    )
