"""Replace the participants of a transcript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reflector.db.models import Participant, new_id
from reflector.transcripts import queries


def as_rows(session: Session, transcript_id: str) -> list[dict[str, Any]]:
    """Return id, speaker, name and account of each participant, in order."""
    return [
        {"id": p.id, "speaker": p.speaker, "name": p.name, "user_id": p.user_id}
        for p in queries.participants_of(session, transcript_id)
    ]


def replace(session: Session, transcript_id: str, people: Sequence[dict[str, Any]]) -> None:
    """Put `people` in place of the participants. An id that another transcript has is made anew."""
    session.execute(delete(Participant).where(Participant.transcript_id == transcript_id))
    ids = [person["id"] for person in people if person["id"]]
    taken = set(session.scalars(select(Participant.id).where(Participant.id.in_(ids))))
    for position, person in enumerate(people):
        own = person["id"]
        fields = {**person, "id": own if own and own not in taken else new_id()}
        session.add(Participant(transcript_id=transcript_id, position=position, **fields))
