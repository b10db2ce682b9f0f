"""Serve topics and words of a transcript, and the steps of its newest run."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_authorized_transcript
from reflector.db.edits import edited_parts
from reflector.db.models import Step, StepState
from reflector.errors import NotFound
from reflector.http.deps import AnyCaller, KeptDep, ServicesDep
from reflector.http.response_cache import ResponseCache, state_of
from reflector.pipeline.step import StepName
from reflector.transcripts import schemas, views

router = APIRouter(tags=["transcripts"])


@router.get("/transcripts/{transcript_id}/topics", response_model=list[schemas.GetTranscriptTopic])
def transcript_get_topics(kept: KeptDep, caller: AnyCaller, transcript_id: str) -> Response:
    return _topics(kept, caller, transcript_id, with_words=False)


@router.get(
    "/transcripts/{transcript_id}/topics/with-words",
    response_model=list[schemas.GetTranscriptTopicWithWords],
)
def transcript_get_topics_with_words(
    kept: KeptDep, caller: AnyCaller, transcript_id: str
) -> Response:
    return _topics(kept, caller, transcript_id, with_words=True)


def _topics(kept: ResponseCache, caller: Caller, transcript_id: str, with_words: bool) -> Response:
    def make(session: Session) -> list[dict[str, Any]]:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        return views.topics_of(session, transcript, with_words=with_words)

    return kept.answer(caller, ("topics", transcript_id, with_words), make, state_of(transcript_id))


@router.get("/transcripts/{transcript_id}/topics/{topic_id}/words-per-speaker")
def transcript_get_topics_with_words_per_speaker(
    services: ServicesDep, caller: AnyCaller, transcript_id: str, topic_id: str
) -> schemas.GetTranscriptTopicWithWordsPerSpeaker:
    """One topic with its words, a group for each stretch of one speaker."""
    with services.db.read() as session:
        topics = views.topics_of(
            session, get_authorized_transcript(session, caller, transcript_id), with_words=True
        )
    topic = next((topic for topic in topics if topic["id"] == topic_id), None)
    if topic is None:
        raise NotFound("Topic not found")
    words = topic.pop("words")
    stretches = [
        schemas.SpeakerWords(speaker=speaker, words=list(group))
        for speaker, group in groupby(words, key=lambda word: word["speaker"])
    ]
    return schemas.GetTranscriptTopicWithWordsPerSpeaker(**topic, words_per_speaker=stretches)


@router.get("/transcripts/{transcript_id}/words", response_model=list[schemas.Word])
def transcript_get_words(kept: KeptDep, caller: AnyCaller, transcript_id: str) -> Response:
    """Extra: all words in order, before there are topics too."""

    def make(session: Session) -> list[Any]:
        words = views.words_of(session, get_authorized_transcript(session, caller, transcript_id))
        return [word._asdict() for word in words]

    return kept.answer(caller, ("words", transcript_id), make, state_of(transcript_id))


@router.get("/transcripts/{transcript_id}/translation")
def transcript_get_translation(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.Translation:
    """Extra: what was said, in the target language; a line for each segment of a speaker."""
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        output = session.scalar(
            select(Step.output).where(
                Step.transcript_id == transcript_id,
                Step.run == transcript.shown_run,
                Step.name == StepName.TRANSLATE,
                Step.state == StepState.DONE,
            )
        )
    if not output or not output["text"]:
        raise NotFound("There is no translation of this transcript.")
    return schemas.Translation(**output)


@router.get("/transcripts/{transcript_id}/run")
def transcript_get_run(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.RunView:
    """Extra: the newest run, step by step."""
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
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
            edited=edited_parts(transcript),
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
