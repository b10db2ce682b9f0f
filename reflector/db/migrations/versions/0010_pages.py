"""Summary templates, options of recordings, defaults of tags, fingerprints, first passwords, languages."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0010"
down_revision = "0009"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table(
        "summary_template",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user_id", sa.String()),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
    )
    op.create_index("idx_summary_template_user_id", "summary_template", ["user_id"])
    op.add_column("transcript", sa.Column("options", sa.JSON()))
    op.add_column("transcript", sa.Column("fingerprint", sa.String()))
    op.create_index("idx_transcript_fingerprint", "transcript", ["fingerprint"])
    op.add_column("transcript", sa.Column("restored_at", UTCDateTime()))
    op.add_column("words", sa.Column("unsure", sa.JSON()))
    op.add_column("user", sa.Column("language", sa.String()))
    op.add_column(
        "user",
        sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("tag", sa.Column("vocabulary", sa.Text()))
    op.add_column("tag", sa.Column("language", sa.String()))
    op.add_column("tag", sa.Column("summary_template_id", sa.String()))
    op.add_column("tag", sa.Column("retention_days", sa.Integer()))
