"""`change_seq`: a number that grows with every change, the feed of ingesting clients."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from reflector.db.models import ChangeSequence, Transcript


def touch(session: Session, transcript: Transcript) -> None:
    """Give `transcript` the next number; part of the caller's transaction."""
    value = session.scalar(
        update(ChangeSequence)
        .values(value=ChangeSequence.value + 1)
        .returning(ChangeSequence.value)
        .execution_options(synchronize_session=False)
    )
    assert value is not None
    transcript.change_seq = value
