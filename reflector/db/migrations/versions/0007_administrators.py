"""Administrators.

The start makes the account of ADMIN_EMAIL one. Older programs leave the column at its default.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.add_column(
        "user",
        sa.Column("is_administrator", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
