"""One transcript: create, read, change, delete and bring back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reflector.api import schemas, views
from reflector.api.deps import (
    AnyCaller,
    DispatcherDep,
    KeptDep,
    PublicCaller,
    ServicesDep,
    UserCaller,
)
from reflector.api.kept import state_of
from reflector.auth.access import Right, find
from reflector.db.changes import touch
from reflector.db.models import Participant, Recording, SourceKind, Transcript, new_id, now
from reflector.errors import InvalidInput
from reflector.events.names import UserEventName
from reflector.events.record import tell_owner
from reflector.housekeeping import deletions
from reflector.pipeline.dispatch import nudge_ready
from reflector.search import index
from reflector.transcript.formats import TextFormat

router = APIRouter(tags=["transcripts"])

NULLABLE = {"title", "short_summary", "long_summary", "audio_deleted"}


@router.post("/transcripts")
def transcripts_create(
    services: ServicesDep, caller: PublicCaller, info: schemas.CreateTranscript
) -> schemas.GetTranscriptWithParticipants:
    with services.db.write() as session:
        transcript = Transcript(
            name=info.name,
            source_kind=info.source_kind or SourceKind.LIVE,
            source_language=info.source_language,
            target_language=info.target_language,
            user_id=caller.user_id,
        )
        session.add(transcript)
        index.update(session, transcript)
        body = views.with_participants(session, transcript.id)
    tell_owner(services.bus, transcript, UserEventName.TRANSCRIPT_CREATED)
    return schemas.GetTranscriptWithParticipants(**body)


@router.get("/transcripts/{transcript_id}", response_model=schemas.GetTranscript)
def transcript_get(
    kept: KeptDep,
    caller: AnyCaller,
    transcript_id: str,
    transcript_format: TextFormat = TextFormat.TEXT,
) -> Response:
    def make(session: Session) -> dict[str, Any]:
        transcript = find(session, caller, transcript_id)
        return views.with_text(session, transcript, transcript_format)

    key = ("transcript", transcript_id, transcript_format)
    return kept.answer(caller, key, make, state_of(transcript_id))


@router.patch("/transcripts/{transcript_id}")
def transcript_update(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.UpdateTranscript
) -> schemas.GetTranscriptWithParticipants:
    """Only the fields that are sent are written."""
    with services.db.write() as session:
        transcript = find(session, caller, transcript_id, Right.CHANGE, lock=True)
        for name in info.model_fields_set - {"participants"}:
            value = getattr(info, name)
            if value is not None or name in NULLABLE:
                setattr(transcript, name, value)
        if info.participants is not None:
            _replace_participants(session, transcript_id, info.participants)
        if info.model_fields_set & {"name", "title", "long_summary"}:
            index.update(session, transcript)
        touch(session, transcript)
        body = views.with_participants(session, transcript_id)
    return schemas.GetTranscriptWithParticipants(**body)


def _replace_participants(
    session: Session, transcript_id: str, people: list[schemas.TranscriptParticipant]
) -> None:
    ids = [person.id for person in people if person.id]
    speakers = [person.speaker for person in people if person.speaker is not None]
    if len(set(ids)) < len(ids) or len(set(speakers)) < len(speakers):
        raise InvalidInput("Two participants have the same id or the same speaker.")
    session.execute(delete(Participant).where(Participant.transcript_id == transcript_id))
    taken = set(session.scalars(select(Participant.id).where(Participant.id.in_(ids))))
    session.add_all(
        Participant(
            id=person.id if person.id and person.id not in taken else new_id(),
            transcript_id=transcript_id,
            position=position,
            speaker=person.speaker,
            name=person.name,
            user_id=person.user_id,
        )
        for position, person in enumerate(people)
    )


@router.delete("/transcripts/{transcript_id}")
def transcript_delete(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Into the trash, from where it can be restored or destroyed."""
    with services.db.write() as session:
        transcript = find(session, caller, transcript_id, Right.CHANGE, or_in_trash=True, lock=True)
        deleted = transcript.deleted_at is None
        if deleted:
            transcript.deleted_at = now()
            _mark_recording(session, transcript)
    if deleted:
        tell_owner(services.bus, transcript, UserEventName.TRANSCRIPT_DELETED)
    return schemas.DeletionStatus(status="ok")


def _mark_recording(session: Session, transcript: Transcript) -> None:
    if transcript.recording_id is not None:
        recording = session.get(Recording, transcript.recording_id)
        if recording is not None:
            recording.deleted_at = transcript.deleted_at


@router.post("/transcripts/{transcript_id}/restore")
def transcript_restore(
    services: ServicesDep, dispatcher: DispatcherDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Out of the trash; work that the deletion stopped goes on."""
    with services.db.write() as session:
        transcript = find(session, caller, transcript_id, Right.CHANGE, or_in_trash=True, lock=True)
        if transcript.deleted_at is None:
            raise InvalidInput("Transcript is not deleted")
        transcript.deleted_at = None
        _mark_recording(session, transcript)
        run = transcript.last_run
    tell_owner(services.bus, transcript, UserEventName.TRANSCRIPT_RESTORED)
    nudge_ready(services.db, dispatcher, transcript_id, run)
    return schemas.DeletionStatus(status="ok")


@router.delete("/transcripts/{transcript_id}/destroy")
def transcript_destroy(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Out of the trash for good: rows at once, stored objects until the storage has confirmed."""
    with services.db.write() as session:
        transcript = find(session, caller, transcript_id, Right.CHANGE, or_in_trash=True, lock=True)
        if transcript.deleted_at is None:
            raise InvalidInput("Transcript must be soft-deleted first")
        deletions.destroy(session, transcript)
    tell_owner(services.bus, transcript, UserEventName.TRANSCRIPT_DELETED)
    deletions.carry_out(services)
    return schemas.DeletionStatus(status="ok")
