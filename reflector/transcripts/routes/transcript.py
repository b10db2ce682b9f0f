"""Create, read, change, delete and restore one transcript."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, Right, get_authorized_transcript, may_manage
from reflector.db.changes import touch
from reflector.db.edits import note_field
from reflector.db.models import Participant, ShareMode, SourceKind, Status, Transcript, now
from reflector.errors import Conflict, InvalidInput
from reflector.events.names import UserEventName
from reflector.events.outbox import publish_changed, publish_to_owner
from reflector.housekeeping import deletions, trash
from reflector.http.deps import (
    AnyCaller,
    DispatcherDep,
    PublicCaller,
    ResponseCacheDep,
    ServicesDep,
    UserCaller,
)
from reflector.http.response_cache import state_of
from reflector.pipeline.queue.dispatch import nudge_ready
from reflector.pipeline.runs import is_active, steps_of
from reflector.rooms import access as rooms
from reflector.search import index
from reflector.transcript.formats import TextFormat
from reflector.transcripts import participants, queries, schemas
from reflector.transcripts.changes import changing
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

router = APIRouter(tags=["transcripts"])

# Its owner alone decides who may read it, whether its sound stays, and how it is processed
OWNERS = {"share_mode", "audio_deleted", "locked", "source_language", "target_language"}
OPEN = {ShareMode.SEMI_PRIVATE, ShareMode.PUBLIC}
NULLABLE = {"title", "short_summary", "long_summary", "action_items", "audio_deleted"}


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
            fingerprint=info.fingerprint,
        )
        if info.room_id is not None:
            _put_in_room(session, caller, transcript, info.room_id)
        session.add(transcript)
        index.update(session, transcript)
        body = queries.with_participants(session, transcript.id)
        publish_to_owner(session, services.bus, transcript, UserEventName.TRANSCRIPT_CREATED)
    return schemas.GetTranscriptWithParticipants(**body)


def _put_in_room(session: Session, caller: Caller, transcript: Transcript, room_id: str) -> None:
    """Keep a new recording in a room. Who shares the room may read it, as its list says."""
    room = rooms.get_used(session, caller, room_id)
    transcript.room_id = room.id
    if room.is_shared and transcript.user_id is not None:
        transcript.share_mode = ShareMode.SEMI_PRIVATE


@router.get("/transcripts/{transcript_id}", response_model=schemas.GetTranscript)
def transcript_get(
    cache: ResponseCacheDep,
    caller: AnyCaller,
    transcript_id: str,
    transcript_format: TextFormat = TextFormat.TEXT,
) -> Response:
    def make(session: Session) -> dict[str, Any]:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        body = queries.with_text(session, transcript, transcript_format)
        return queries.without_strangers(body, caller)

    key = ("transcript", transcript_id, transcript_format)
    return cache.answer(caller, key, make, state_of(transcript_id))


@router.patch("/transcripts/{transcript_id}")
def transcript_update(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.UpdateTranscript
) -> schemas.GetTranscriptWithParticipants:
    """Update a transcript. Only the fields that are sent are written.

    A list of participants replaces the existing one. With `base_change_seq`, the update is refused
    (409) if somebody has changed the transcript since.
    """
    wanted = Right.MANAGE if info.model_fields_set & OWNERS else Right.CHANGE
    with changing(services, caller, transcript_id, wanted) as (session, transcript, _):
        if info.base_change_seq not in {None, transcript.change_seq}:
            raise Conflict("Somebody else has changed this transcript since. Read it again first.")
        if "audio_deleted" in info.model_fields_set:
            _delete_audio(session, transcript, info.audio_deleted)
        before = transcript.share_mode
        for name in info.model_fields_set - {"participants", "base_change_seq"}:
            value = getattr(info, name)
            if isinstance(value, schemas.ActionItems):
                value = value.model_dump()
            if value is not None or name in NULLABLE:
                setattr(transcript, name, value)
                note_field(transcript, name, value)
        if info.share_mode in OPEN and info.share_mode != before:
            webhooks.announce(session, transcript, WebhookEvent.SHARED)
        if info.participants is not None:
            _replace_participants(session, caller, transcript, info.participants)
        if info.model_fields_set & {"name", "title", "long_summary"}:
            index.update(session, transcript)
        touch(session, transcript)
        body = queries.with_participants(session, transcript_id)
        body = queries.without_strangers(body, caller)
    if info.audio_deleted:
        deletions.execute(services, transcript_id)
    return schemas.GetTranscriptWithParticipants(**body)


def _delete_audio(session: Session, transcript: Transcript, wanted: bool | None) -> None:
    """Delete the recording and all audio made of it for good; words and results stay."""
    if transcript.audio_deleted and not wanted:
        raise InvalidInput("The audio of this transcript was deleted for good.")
    if not wanted or transcript.audio_deleted:
        return
    if is_active(steps_of(session, transcript.id, transcript.last_run)):
        raise InvalidInput("The recording is being processed. Delete its audio after that.")
    transcript.upload_key = None
    deletions.order(session, transcript.id)


def _replace_participants(
    session: Session,
    caller: Caller,
    transcript: Transcript,
    people: list[schemas.TranscriptParticipant],
) -> None:
    ids = [person.id for person in people if person.id]
    speakers = [person.speaker for person in people if person.speaker is not None]
    if len(set(ids)) < len(ids) or len(set(speakers)) < len(speakers):
        raise InvalidInput("Two participants have the same id or the same speaker.")
    rows = session.execute(
        select(Participant.id, Participant.user_id).where(
            Participant.transcript_id == transcript.id
        )
    )
    known = {row.id: row.user_id for row in rows}
    foreign = {person.user_id for person in people} - {None, caller.user_id, *known.values()}
    if foreign:
        raise InvalidInput("A participant's user_id can be your own only.")
    fields = [person.model_dump() for person in people]
    if not may_manage(caller, transcript):
        # Others do not see whose accounts participants are, so they cannot send them back
        for each in fields:
            each["user_id"] = each["user_id"] or known.get(each["id"])
    participants.replace(session, transcript.id, fields)


@router.delete("/transcripts/{transcript_id}")
def transcript_delete(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Move the transcript to the trash, where it can be restored or destroyed."""
    with services.db.write() as session:
        transcript = get_authorized_transcript(
            session, caller, transcript_id, Right.MANAGE, or_in_trash=True, lock=True
        )
        trash.discard(services, session, transcript)
    return schemas.DeletionStatus(status="ok")


@router.post("/transcripts/{transcript_id}/restore")
def transcript_restore(
    services: ServicesDep, dispatcher: DispatcherDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Restore the transcript from the trash; interrupted processing continues."""
    with services.db.write() as session:
        transcript = get_authorized_transcript(
            session, caller, transcript_id, Right.MANAGE, or_in_trash=True, lock=True
        )
        if transcript.deleted_at is None:
            raise InvalidInput("Transcript is not deleted")
        transcript.deleted_at, transcript.restored_at = None, now()
        trash.mark_recording(session, transcript)
        if transcript.status == Status.ENDED:
            # Who was told that it is gone has thrown it away
            webhooks.announce(session, transcript, WebhookEvent.COMPLETED)
        run = transcript.last_run
        publish_to_owner(session, services.bus, transcript, UserEventName.TRANSCRIPT_RESTORED)
    nudge_ready(services.db, dispatcher, transcript_id, run)
    return schemas.DeletionStatus(status="ok")


@router.delete("/transcripts/{transcript_id}/destroy")
def transcript_destroy(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.DeletionStatus:
    """Destroy a transcript in the trash for good.

    Its rows are removed at once, stored objects once the storage confirms that.
    """
    with services.db.write() as session:
        transcript = get_authorized_transcript(
            session, caller, transcript_id, Right.MANAGE, or_in_trash=True, lock=True
        )
        if transcript.deleted_at is None:
            raise InvalidInput("Transcript must be soft-deleted first")
        deletions.destroy(session, transcript)
        publish_to_owner(session, services.bus, transcript, UserEventName.TRANSCRIPT_DELETED)
        publish_changed(session, services.bus, transcript_id)
    deletions.execute(services, transcript_id)
    return schemas.DeletionStatus(status="ok")
