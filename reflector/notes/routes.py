"""Keep notes at moments of a recording. All routes are extra: the reference has no notes."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_authorized_transcript
from reflector.db import models
from reflector.db.counts import count
from reflector.errors import InvalidInput, NotFound
from reflector.http.deps import ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.notes import schemas

router = APIRouter(tags=["notes"])

MOST_NOTES = 1000


def _of(caller: Caller, transcript_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for the caller's notes at a transcript."""
    return models.Note.transcript_id == transcript_id, models.Note.user_id == caller.user_id


def _own(session: Session, caller: Caller, transcript_id: str, note_id: str) -> models.Note:
    """Return a note of the caller at a transcript that they may read. Raises NotFound otherwise."""
    get_authorized_transcript(session, caller, transcript_id)
    note = session.get(models.Note, note_id)
    if note is None or (note.transcript_id, note.user_id) != (transcript_id, caller.user_id):
        raise NotFound("There is no such note. It may have been removed meanwhile.")
    return note


def _view(note: models.Note) -> schemas.Note:
    return schemas.Note(id=note.id, at=note.at, text=note.text)


@router.get("/transcripts/{transcript_id}/notes")
def notes_list(services: ServicesDep, caller: UserCaller, transcript_id: str) -> list[schemas.Note]:
    """Extra: list your notes at a transcript, in the order of their moments."""
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id)
        notes = session.scalars(
            select(models.Note)
            .where(*_of(caller, transcript_id))
            .order_by(models.Note.at, models.Note.created_at)
        )
        return [_view(note) for note in notes]


@router.post("/transcripts/{transcript_id}/notes")
def notes_create(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.CreateNote
) -> schemas.Note:
    """Extra: keep a note at a moment of a transcript that you may read."""
    with services.db.write() as session:
        get_authorized_transcript(session, caller, transcript_id)
        if count(session, *_of(caller, transcript_id)) >= MOST_NOTES:
            raise InvalidInput(
                "You have {most} notes here already. Remove one first.", most=MOST_NOTES
            )
        note = models.Note(
            transcript_id=transcript_id, user_id=caller.user_id, at=info.at, text=info.text.strip()
        )
        session.add(note)
        session.flush()
        return _view(note)


@router.patch("/transcripts/{transcript_id}/notes/{note_id}")
def notes_update(
    services: ServicesDep,
    caller: UserCaller,
    transcript_id: str,
    note_id: str,
    info: schemas.UpdateNote,
) -> schemas.Note:
    """Extra: change the text of a note."""
    with services.db.write() as session:
        note = _own(session, caller, transcript_id, note_id)
        note.text = info.text.strip()
        return _view(note)


@router.delete("/transcripts/{transcript_id}/notes/{note_id}")
def notes_delete(
    services: ServicesDep, caller: UserCaller, transcript_id: str, note_id: str
) -> StatusAnswer:
    """Extra: remove a note."""
    with services.db.write() as session:
        session.delete(_own(session, caller, transcript_id, note_id))
    return StatusAnswer()
