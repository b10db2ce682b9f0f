"""Transcripts: list, create, read, change, delete; their topics and steps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi_pagination import Page, Params
from sqlalchemy import delete, func, select

from reflector.api import schemas, views
from reflector.api.deps import ServicesDep, find
from reflector.api.uploads import incoming_of
from reflector.db.changes import touch
from reflector.db.models import Participant, SourceKind, Step, StepState, Transcript, new_id
from reflector.pipeline.specs import StepName
from reflector.transcript.formats import TextFormat

router = APIRouter(tags=["transcripts"])


@router.get("/transcripts")
def transcripts_list(
    services: ServicesDep,
    source_kind: SourceKind | None = None,
    room_id: str | None = None,
    search_term: str | None = None,
    change_seq_from: int | None = None,
    sort_by: Literal["created_at", "change_seq"] | None = None,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Page[schemas.GetTranscriptMinimal]:
    query = select(Transcript)
    if source_kind:
        query = query.where(Transcript.source_kind == source_kind)
    if room_id:
        query = query.where(Transcript.room_id == room_id)
    if search_term:
        query = query.where(Transcript.title.icontains(search_term, autoescape=True))
    if change_seq_from is not None:
        query = query.where(Transcript.change_seq > change_seq_from)
    by_change = sort_by == "change_seq"
    order = Transcript.change_seq.asc() if by_change else Transcript.created_at.desc()
    with services.db.read() as session:
        counted = query.with_only_columns(func.count(), maintain_column_froms=True)
        total = session.scalar(counted) or 0
        rows = session.scalars(query.order_by(order).limit(size).offset((page - 1) * size))
        items = [views.minimal(row) for row in rows]
    answer: Page[Any] = Page.create(items, Params(page=page, size=size), total=total)
    return answer


@router.post("/transcripts")
def transcripts_create(
    services: ServicesDep, info: schemas.CreateTranscript
) -> schemas.GetTranscriptWithParticipants:
    with services.db.write() as session:
        transcript = Transcript(
            name=info.name,
            source_kind=info.source_kind or SourceKind.LIVE,
            source_language=info.source_language,
            target_language=info.target_language,
        )
        session.add(transcript)
        session.flush()
        touch(session, transcript)
        body = views.with_participants(session, transcript)
    return schemas.GetTranscriptWithParticipants(**body)


@router.get("/transcripts/{transcript_id}", response_model=schemas.GetTranscript)
def transcript_get(
    services: ServicesDep,
    transcript_id: str,
    transcript_format: TextFormat = TextFormat.TEXT,
) -> dict[str, Any]:
    with services.db.read() as session:
        transcript = find(session, transcript_id)
        return views.with_text(session, transcript, transcript_format)


@router.patch("/transcripts/{transcript_id}")
def transcript_update(
    services: ServicesDep, transcript_id: str, info: schemas.UpdateTranscript
) -> schemas.GetTranscriptWithParticipants:
    with services.db.write() as session:
        transcript = find(session, transcript_id)
        for name in info.model_fields_set - {"participants"}:
            value = getattr(info, name)
            if value is not None or name in {
                "title",
                "short_summary",
                "long_summary",
                "audio_deleted",
            }:
                setattr(transcript, name, value)
        if info.participants is not None:
            session.execute(delete(Participant).where(Participant.transcript_id == transcript_id))
            session.add_all(
                Participant(
                    id=p.id or new_id(),
                    transcript_id=transcript_id,
                    position=position,
                    speaker=p.speaker,
                    name=p.name,
                    user_id=p.user_id,
                )
                for position, p in enumerate(info.participants)
            )
        touch(session, transcript)
        session.flush()
        body = views.with_participants(session, transcript)
    return schemas.GetTranscriptWithParticipants(**body)


@router.delete("/transcripts/{transcript_id}")
def transcript_delete(services: ServicesDep, transcript_id: str) -> schemas.StatusAnswer:
    """Files first: a crash in between leaves a transcript that can be deleted again."""
    with services.db.read() as session:
        find(session, transcript_id)
    incoming_of(services, transcript_id).discard()
    services.storage.delete_prefix(transcript_id)
    with services.db.write() as session:
        session.delete(find(session, transcript_id))
    return schemas.StatusAnswer()


@router.get("/transcripts/{transcript_id}/topics")
def transcript_get_topics(
    services: ServicesDep, transcript_id: str
) -> list[schemas.GetTranscriptTopic]:
    with services.db.read() as session:
        rows = views.topics_of(session, find(session, transcript_id), with_words=False)
    return [schemas.GetTranscriptTopic(**row) for row in rows]


@router.get(
    "/transcripts/{transcript_id}/topics/with-words",
    response_model=list[schemas.GetTranscriptTopicWithWords],
)
def transcript_get_topics_with_words(
    services: ServicesDep, transcript_id: str
) -> list[dict[str, Any]]:
    with services.db.read() as session:
        return views.topics_of(session, find(session, transcript_id), with_words=True)


@router.get("/transcripts/{transcript_id}/words")
def transcript_get_words(services: ServicesDep, transcript_id: str) -> list[schemas.Word]:
    """Extra: all words in order, before there are topics too."""
    with services.db.read() as session:
        words = views.words_of(session, find(session, transcript_id))
    return [schemas.Word(text=w.text, start=w.start, end=w.end, speaker=w.speaker) for w in words]


@router.get("/transcripts/{transcript_id}/run")
def transcript_get_run(services: ServicesDep, transcript_id: str) -> schemas.RunView:
    """Extra: the newest run, step by step."""
    with services.db.read() as session:
        transcript = find(session, transcript_id)
        rows = session.scalars(
            select(Step)
            .where(Step.transcript_id == transcript_id, Step.run == transcript.last_run)
            .order_by(Step.id)
        ).all()
        return schemas.RunView(
            run=transcript.last_run,
            status=transcript.status,
            error=transcript.error,
            steps=[_step_view(row) for row in rows],
            action_items=transcript.action_items,
        )


def _step_view(row: Step) -> schemas.StepView:
    remarks = row.remarks or {}
    seconds = None
    if row.state == StepState.DONE and row.started_at and row.finished_at:
        seconds = round((row.finished_at - row.started_at).total_seconds(), 3)
    return schemas.StepView(
        name=StepName(row.name).value,
        state=row.state,
        attempt=row.attempt,
        error=row.error,
        seconds=seconds,
        method=remarks.get("method"),
        warnings=remarks.get("warnings", []),
        engine=remarks.get("engine"),
    )
