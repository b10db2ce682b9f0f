"""Store and load the words of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from reflector.db.models import Participant, Words
from reflector.transcript.words import Segment, Word, from_rows, segments, with_unsure


def store_words(
    session: Session,
    transcript_id: str,
    run: int,
    words: Sequence[Word],
    unsure: list[Any] | None = None,
) -> None:
    """Replace the words of the run with `words`, and store the segments that they form.

    `unsure`, rows of `unsure_rows`, replaces what is known of unsure words; None keeps it.
    """
    fields: dict[str, Any] = {} if unsure is None else {"unsure": unsure}
    session.merge(
        Words(
            transcript_id=transcript_id,
            run=run,
            words=[word.row() for word in words],
            segments=[[s.text, s.start, s.end, s.speaker] for s in segments(words)],
            **fields,
        )
    )


def load_recognised(session: Session, transcript_id: str, run: int | None) -> list[Word]:
    """Return the words of a run with the probabilities of those that were unsure."""
    unsure = session.scalar(_of(Words.unsure, transcript_id, run))
    return with_unsure(load_words(session, transcript_id, run), unsure or ())


def load_words(session: Session, transcript_id: str, run: int | None) -> list[Word]:
    """Return the words of a run; empty if it has none yet."""
    rows = session.scalar(_of(Words.words, transcript_id, run))
    return from_rows(rows or ())


def load_segments(session: Session, transcript_id: str, run: int | None) -> list[Segment]:
    row = session.execute(_of(Words.segments, transcript_id, run)).first()
    if row is None:
        return []
    if row[0] is None:  # written before this column existed
        return segments(load_words(session, transcript_id, run))
    return [Segment._make(segment) for segment in row[0]]


def named_speakers(session: Session, transcript_id: str) -> set[int]:
    """Return the numbers of the speakers that have a name."""
    rows = session.scalars(
        select(Participant.speaker).where(Participant.transcript_id == transcript_id)
    )
    return {speaker for speaker in rows if speaker is not None}


def _of(column: Any, transcript_id: str, run: int | None) -> Select[Any]:
    return select(column).where(Words.transcript_id == transcript_id, Words.run == run)
