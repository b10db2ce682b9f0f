"""Sessions that the server can end, accounts that can be disabled, keys that expire; edits of people.

Documents of search in scripts with combining marks are made again, by the next worker that starts.
Cookies of versions before hold a signed token instead of a row's name: people log in once more.
"""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0004"
down_revision = "0003"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.add_column("user", sa.Column("disabled_at", UTCDateTime()))
    op.add_column("user_api_key", sa.Column("expires_at", UTCDateTime()))
    op.add_column("user_api_key", sa.Column("last_used_at", UTCDateTime()))
    op.add_column("transcript", sa.Column("edits", sa.JSON()))
    # A word of theirs found another one before
    op.execute(
        "DELETE FROM search_document WHERE language IN "
        "('simple', 'hindi', 'nepali', 'tamil', 'arabic', 'yiddish')"
    )
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_seen_at", UTCDateTime(), nullable=False),
    )
    op.create_index("idx_login_session_user_id", "login_session", ["user_id"])
