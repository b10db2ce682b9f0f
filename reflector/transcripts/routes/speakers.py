"""Change participants, and which speaker said what."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reflector.accounts.access import get_authorized_transcript
from reflector.db.changes import touch
from reflector.db.edits import note_merge, note_range
from reflector.db.models import Participant
from reflector.db.words import load_words
from reflector.errors import InvalidInput, NotFound
from reflector.http.deps import AnyCaller, PublicCaller, ServicesDep, UserCaller
from reflector.transcript.words import Word
from reflector.transcripts import queries, schemas
from reflector.transcripts.changes import changing, save_words

router = APIRouter(tags=["transcripts"])

TAKEN = "Speaker already assigned"
UNKNOWN = "Participant not found"


def _view(row: Participant) -> schemas.Participant:
    return schemas.Participant(id=row.id, speaker=row.speaker, name=row.name)


def _participant(session: Session, transcript_id: str, participant_id: str) -> Participant:
    row = session.get(Participant, participant_id)
    if row is None or row.transcript_id != transcript_id:
        raise NotFound(UNKNOWN)
    return row


def _of_speaker(session: Session, transcript_id: str, speaker: int) -> Participant | None:
    return session.scalars(
        select(Participant).where(
            Participant.transcript_id == transcript_id, Participant.speaker == speaker
        )
    ).first()


def _refuse_taken(
    session: Session, transcript_id: str, speaker: int | None, own: str | None = None
) -> None:
    if speaker is None:
        return
    other = _of_speaker(session, transcript_id, speaker)
    if other is not None and other.id != own:
        raise InvalidInput(TAKEN)


@router.get("/participants/names")
def participants_names(services: ServicesDep, caller: PublicCaller) -> list[str]:
    """Extra: get the names in the transcripts that you see in lists, the most frequent first."""
    with services.db.read() as session:
        return queries.names_in(session, caller)


@router.get("/transcripts/{transcript_id}/participants")
def transcript_get_participants(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> list[schemas.Participant]:
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id)
        return [_view(row) for row in queries.participants_of(session, transcript_id)]


@router.post("/transcripts/{transcript_id}/participants")
def transcript_add_participant(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.CreateParticipant
) -> schemas.Participant:
    with changing(services, caller, transcript_id) as (session, transcript, _):
        _refuse_taken(session, transcript_id, info.speaker)
        last = session.scalar(
            select(func.max(Participant.position)).where(Participant.transcript_id == transcript_id)
        )
        row = Participant(
            transcript_id=transcript_id,
            position=0 if last is None else last + 1,
            speaker=info.speaker,
            name=info.name,
        )
        session.add(row)
        touch(session, transcript)
        return _view(row)


@router.get("/transcripts/{transcript_id}/participants/{participant_id}")
def transcript_get_participant(
    services: ServicesDep, caller: AnyCaller, transcript_id: str, participant_id: str
) -> schemas.Participant:
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id)
        return _view(_participant(session, transcript_id, participant_id))


@router.patch("/transcripts/{transcript_id}/participants/{participant_id}")
def transcript_update_participant(
    services: ServicesDep,
    caller: UserCaller,
    transcript_id: str,
    participant_id: str,
    info: schemas.UpdateParticipant,
) -> schemas.Participant:
    with changing(services, caller, transcript_id) as (session, transcript, _):
        row = _participant(session, transcript_id, participant_id)
        if "speaker" in info.model_fields_set:
            _refuse_taken(session, transcript_id, info.speaker, own=row.id)
            row.speaker = info.speaker
        if info.name is not None:
            row.name = info.name
        touch(session, transcript)
        return _view(row)


@router.delete("/transcripts/{transcript_id}/participants/{participant_id}")
def transcript_delete_participant(
    services: ServicesDep, caller: UserCaller, transcript_id: str, participant_id: str
) -> schemas.DeletionStatus:
    with changing(services, caller, transcript_id) as (session, transcript, _):
        row = session.get(Participant, participant_id)
        if row is not None and row.transcript_id == transcript_id:
            session.delete(row)
            touch(session, transcript)
    return schemas.DeletionStatus(status="ok")


@router.patch("/transcripts/{transcript_id}/speaker/assign")
def transcript_assign_speaker(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.SpeakerAssignment
) -> schemas.SpeakerAssignmentStatus:
    """Assign words that start in `[timestamp_from, timestamp_to]` to a speaker or participant."""
    if info.speaker is None and info.participant is None:
        raise InvalidInput("Either speaker or participant must be provided")
    if info.speaker is not None and info.participant is not None:
        raise InvalidInput("Only one of speaker or participant must be provided")
    with changing(services, caller, transcript_id) as (session, transcript, draft):
        words = load_words(session, transcript_id, transcript.shown_run)
        speaker = info.speaker
        if speaker is None:
            assert info.participant is not None
            person = _participant(session, transcript_id, info.participant)
            if person.speaker is None:
                person.speaker = _first_free(session, transcript_id, words)
            speaker = person.speaker
        start, end = info.timestamp_from, info.timestamp_to
        note_range(transcript, start, end, speaker)
        changed = [w._replace(speaker=speaker) if start <= w.start <= end else w for w in words]
        draft.add_speakers(words, changed)
        save_words(session, transcript, changed)
    return schemas.SpeakerAssignmentStatus(status="ok")


@router.patch("/transcripts/{transcript_id}/speaker/merge")
def transcript_merge_speaker(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.SpeakerMerge
) -> schemas.SpeakerAssignmentStatus:
    """Merge one speaker into another: all words, and the participant if there is one."""
    with changing(services, caller, transcript_id) as (session, transcript, draft):
        source = _of_speaker(session, transcript_id, info.speaker_from)
        target = _of_speaker(session, transcript_id, info.speaker_to)
        if source and target and source.id != target.id:
            raise InvalidInput("Both speakers are assigned to participants")
        if source is not None:
            source.speaker = info.speaker_to
        note_merge(transcript, info.speaker_from, info.speaker_to)
        words = load_words(session, transcript_id, transcript.shown_run)
        changed = [
            w._replace(speaker=info.speaker_to) if w.speaker == info.speaker_from else w
            for w in words
        ]
        draft.add_speakers(words, changed)
        save_words(session, transcript, changed)
    return schemas.SpeakerAssignmentStatus(status="ok")


def _first_free(session: Session, transcript_id: str, words: list[Word]) -> int:
    named = queries.names_of(queries.participants_of(session, transcript_id))
    taken = {word.speaker for word in words} | set(named)
    return next(number for number in range(len(taken) + 1) if number not in taken)
