"""E-mail that is sent."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0013"
down_revision = "0012"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("transcript_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String()),
        sa.Column("user_id", sa.String()),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime()),
        sa.Column("claimed_until", UTCDateTime()),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.JSON()),
        sa.Column("delivered_at", UTCDateTime()),
    )
    for name, columns in {
        "ix_mail_due_at": ["due_at"],
        "idx_mail_transcript_id": ["transcript_id", "recipient"],
        "idx_mail_user_id": ["user_id", "created_at"],
    }.items():
        op.create_index(name, "mail", columns)
