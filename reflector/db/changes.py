"""Maintain `change_seq`, a number that grows with every change: the feed for ingesting clients.

A trigger sets it whenever a row of `transcript` is written. PostgreSQL may commit numbers in
another order than it assigns them. A client that asks for everything after the last number it saw
would then miss the late ones. So each row also holds the transaction that wrote it, and the feed
ends before the oldest open transaction.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal_column, update
from sqlalchemy.orm import Session

from reflector.db.models import Transcript

# Numbers beyond the newest transaction come from another cluster, through a dump
SETTLED: ColumnElement[bool] = literal_column(
    "(transcript.change_xid IS NULL"
    " OR transcript.change_xid < pg_snapshot_xmin(pg_current_snapshot())"
    " OR transcript.change_xid >= pg_snapshot_xmax(pg_current_snapshot()))"
)


def touch(session: Session, transcript: Transcript) -> None:
    """Give `transcript` the next number, for a change in another table."""
    session.flush()
    session.execute(
        update(Transcript)
        .where(Transcript.id == transcript.id)
        .values(last_run=Transcript.last_run)
        .execution_options(synchronize_session=False)
    )
    session.expire(transcript, ["change_seq"])


def settled(session: Session) -> ColumnElement[bool] | None:
    """Return an extra condition for the feed's query; None on SQLite, where writers are serial."""
    return SETTLED if session.get_bind().dialect.name == "postgresql" else None
