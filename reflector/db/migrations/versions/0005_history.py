"""Who changed what, and how it was before. What was changed earlier has no history."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import RowNumber, UTCDateTime

revision = "0005"
down_revision = "0004"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "edit",
        sa.Column("id", RowNumber, primary_key=True, autoincrement=True),
        sa.Column(
            "transcript_id",
            sa.String(),
            sa.ForeignKey("transcript.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("user_id", sa.String()),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("marks", sa.JSON()),
        sa.Column("run", sa.Integer()),
    )
    op.create_index("idx_edit_transcript_id", "edit", ["transcript_id", "id"])
