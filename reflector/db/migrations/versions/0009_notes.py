"""Notes at moments of a recording."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0009"
down_revision = "0008"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "transcript_id",
            sa.String(),
            sa.ForeignKey("transcript.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("user_id", sa.String()),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_index("idx_note_transcript_id_user_id", "note", ["transcript_id", "user_id"])
