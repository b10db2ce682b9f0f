"""Sharing with people, and by links."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0008"
down_revision = "0007"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "transcript_share",
        sa.Column(
            "transcript_id",
            sa.String(),
            sa.ForeignKey("transcript.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "user_id", sa.String(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_index(
        "idx_transcript_share_user_id", "transcript_share", ["user_id", "transcript_id"]
    )
    op.create_table(
        "share_link",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "transcript_id",
            sa.String(),
            sa.ForeignKey("transcript.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("token", sa.String(), nullable=False, unique=True),
        sa.Column("with_sound", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime()),
        sa.Column("last_opened_at", UTCDateTime()),
    )
    op.create_index("ix_share_link_transcript_id", "share_link", ["transcript_id"])
