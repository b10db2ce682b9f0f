"""Events of the calendars of rooms, and how their fetching goes."""

import sqlalchemy as sa
from alembic import op

from reflector.db.base import UTCDateTime

revision = "0014"
down_revision = "0013"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.add_column("room", sa.Column("ics_next_sync", UTCDateTime()))
    op.add_column("room", sa.Column("ics_expanded_at", UTCDateTime()))
    op.add_column("room", sa.Column("ics_problem", sa.JSON()))
    op.create_table(
        "calendar_event",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "room_id", sa.String(), sa.ForeignKey("room.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("ics_uid", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("start_time", UTCDateTime(), nullable=False),
        sa.Column("end_time", UTCDateTime(), nullable=False),
        sa.Column("attendees", sa.JSON()),
        sa.Column("location", sa.Text()),
        sa.Column("last_synced", UTCDateTime(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("room_id", "ics_uid", name="uq_room_calendar_event"),
    )
    op.create_index("idx_calendar_event_room_start", "calendar_event", ["room_id", "start_time"])
