"""`change_seq`: a number that grows with every change, the feed of ingesting clients.

A trigger sets it whenever a row of `transcript` is written. On PostgreSQL numbers may be committed
in another order than they are given out; a client that asks for what came after the last number it
saw would miss the late ones. So each row also carries the transaction that wrote it, and the feed
ends before the oldest transaction that is still open.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, literal_column, update
from sqlalchemy.orm import Session

from reflector.db.models import Transcript

# Numbers beyond the newest transaction come from another cluster, by way of a dump
SETTLED: ColumnElement[bool] = literal_column(
    "(transcript.change_xid IS NULL"
    " OR transcript.change_xid < pg_snapshot_xmin(pg_current_snapshot())"
    " OR transcript.change_xid >= pg_snapshot_xmax(pg_current_snapshot()))"
)


def touch(session: Session, transcript: Transcript) -> None:
    """Give `transcript` the next number, for a change in a table beside its own."""
    session.flush()
    session.execute(
        update(Transcript)
        .where(Transcript.id == transcript.id)
        .values(last_run=Transcript.last_run)
        .execution_options(synchronize_session=False)
    )
    session.expire(transcript, ["change_seq"])


def settled(session: Session) -> ColumnElement[bool] | None:
    """Return what a query for the feed must also ask for; None where writers take turns anyway."""
    return SETTLED if session.get_bind().dialect.name == "postgresql" else None
