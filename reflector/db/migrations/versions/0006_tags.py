"""Tags that people give to recordings."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0006"
down_revision = "0005"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "tag",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user_id", sa.String()),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_index("idx_tag_user_id", "tag", ["user_id"])
    op.create_table(
        "transcript_tag",
        sa.Column(
            "transcript_id",
            sa.String(),
            sa.ForeignKey("transcript.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "tag_id", sa.String(), sa.ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True
        ),
    )
    op.create_index("idx_transcript_tag_tag_id", "transcript_tag", ["tag_id", "transcript_id"])
