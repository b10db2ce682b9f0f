"""Which recordings have two tracks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.add_column("transcript", sa.Column("has_tracks", sa.Boolean()))
