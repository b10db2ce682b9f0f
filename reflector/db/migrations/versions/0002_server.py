"""Accounts, rooms, trash, search, clean-up; `change_seq` by trigger; PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reflector.db.migrations import postgresql, sqlite

revision = "0002"
down_revision = "0001"

Time = sa.DateTime(timezone=True)
RowNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def column(name: str, kind: Any, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=nullable, **options)


def key(kind: Any = None) -> sa.Column[Any]:
    return sa.Column("id", kind or sa.String(), primary_key=True)


def upgrade() -> None:
    op.add_column("transcript", column("deleted_at", Time, True))
    op.add_column("transcript", column("zulip_message_id", sa.Integer(), True))
    op.add_column("words", sa.Column("segments", sa.JSON(), nullable=True))
    op.drop_index("idx_transcript_user_id", "transcript")
    there = sa.text("deleted_at IS NULL")
    op.create_index(
        "idx_transcript_user_id_created_at", "transcript", ["user_id", "created_at"],
        postgresql_where=there, sqlite_where=there,
    )  # fmt: skip
    _people()
    _rooms()
    op.create_table(
        "search_document",
        key(RowNumber),
        column("transcript_id", sa.String(), unique=True),
        column("language", sa.String()),
        *(column(name, sa.Text()) for name in ("title", "summary", "body")),
        sa.ForeignKeyConstraint(["transcript_id"], ["transcript.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "deletion",
        key(RowNumber),
        column("prefix", sa.String()),
        column("created_at", Time),
        column("attempts", sa.Integer()),
        column("due_at", Time),
        column("error", sa.Text(), True),
    )
    op.create_index("idx_deletion_due_at", "deletion", ["due_at"])
    for statement in (postgresql if _is_postgresql() else sqlite).SECOND:
        op.execute(statement)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _people() -> None:
    op.create_table(
        "user",
        key(),
        column("email", sa.String()),
        column("authentik_uid", sa.String(), unique=True),
        column("password_hash", sa.String(), True),
        column("provisioned_hash", sa.String(), True),
        column("token_version", sa.Integer()),
        column("created_at", Time),
        column("updated_at", Time),
    )
    op.create_index("idx_user_email", "user", ["email"])
    op.create_table(
        "user_api_key",
        key(),
        column("user_id", sa.String()),
        column("key_hash", sa.String(), unique=True),
        column("name", sa.String(), True),
        column("created_at", Time),
    )
    op.create_index("idx_user_api_key_user_id", "user_api_key", ["user_id"])
    op.create_table("login_attempt", key(RowNumber), column("key", sa.String()), column("at", Time))
    op.create_index("idx_login_attempt_key", "login_attempt", ["key", "at"])


def _rooms() -> None:
    text, flag = sa.String(), sa.Boolean()
    op.create_table(
        "room",
        key(),
        column("name", text),
        column("user_id", text),
        column("created_at", Time),
        column("zulip_auto_post", flag),
        column("zulip_stream", text, True),
        column("zulip_topic", text, True),
        column("is_locked", flag),
        column("room_mode", text),
        column("recording_type", text),
        column("recording_trigger", text),
        column("is_shared", flag),
        column("webhook_url", text, True),
        column("webhook_secret", text, True),
        column("ics_url", sa.Text(), True),
        column("ics_fetch_interval", sa.Integer()),
        column("ics_enabled", flag),
        column("ics_last_sync", Time, True),
        column("ics_last_etag", sa.Text(), True),
        column("platform", text),
        column("skip_consent", flag),
        column("email_transcript_to", text, True),
        column("store_video", flag),
        sa.UniqueConstraint("name", name="uq_room_name"),
    )
    op.create_index("idx_room_is_shared", "room", ["is_shared"])
    op.create_index("idx_room_ics_enabled", "room", ["ics_enabled"])
    op.create_table(
        "meeting",
        key(),
        *(column(name, text) for name in ("room_name", "room_url", "host_room_url")),
        column("start_date", Time),
        column("end_date", Time),
        column("room_id", text),
        column("is_locked", flag),
        column("room_mode", text),
        column("recording_type", text),
        column("recording_trigger", text),
        column("num_clients", sa.Integer()),
        column("is_active", flag),
        column("calendar_event_id", text, True),
        column("calendar_metadata", sa.JSON(), True),
        column("platform", text),
        column("daily_composed_video_s3_key", text, True),
        column("daily_composed_video_duration", sa.Integer(), True),
        column("email_recipients", sa.JSON(), True),
        column("store_video", flag),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], ondelete="CASCADE"),
    )
    op.create_index("idx_meeting_room_id", "meeting", ["room_id"])
    op.create_index("idx_meeting_calendar_event", "meeting", ["calendar_event_id"])
    op.create_table(
        "recording",
        key(),
        column("bucket_name", text),
        column("object_key", text),
        column("recorded_at", Time),
        column("status", text),
        column("meeting_id", text, True),
        column("track_keys", sa.JSON(), True),
        column("deleted_at", Time, True),
    )
    op.create_index("idx_recording_meeting_id", "recording", ["meeting_id"])
