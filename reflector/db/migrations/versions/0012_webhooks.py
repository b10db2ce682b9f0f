"""Webhooks of accounts and rooms, with their deliveries."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0012"
down_revision = "0011"
OLDEST_READER = "0003"


def _state() -> list[sa.Column[Any]]:
    return [
        sa.Column("webhook_previous_secret", sa.String()),
        sa.Column("webhook_previous_until", UTCDateTime()),
        sa.Column("webhook_paused_at", UTCDateTime()),
        sa.Column("webhook_problem", sa.JSON()),
        sa.Column("webhook_not_before", UTCDateTime()),
    ]


def upgrade() -> None:
    for column in _state():
        op.add_column("room", column)
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("webhook_url", sa.String()),
        sa.Column("webhook_secret", sa.String()),
        *_state(),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_index("ix_webhook_user_id", "webhook", ["user_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("webhook_id", sa.String(), sa.ForeignKey("webhook.id", ondelete="CASCADE")),
        sa.Column("room_id", sa.String(), sa.ForeignKey("room.id", ondelete="CASCADE")),
        sa.Column("transcript_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime()),
        sa.Column("claimed_until", UTCDateTime()),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("error", sa.JSON()),
        sa.Column("delivered_at", UTCDateTime()),
    )
    for name, columns in {
        "ix_webhook_delivery_due_at": ["due_at"],
        "ix_webhook_delivery_transcript_id": ["transcript_id"],
        "idx_webhook_delivery_webhook_id": ["webhook_id", "created_at"],
        "idx_webhook_delivery_room_id": ["room_id", "created_at"],
    }.items():
        op.create_index(name, "webhook_delivery", columns)
