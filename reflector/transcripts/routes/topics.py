"""Serve topics, words and translation of a transcript."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_authorized_transcript, may_change
from reflector.db.words import load_recognised
from reflector.errors import NotFound
from reflector.http.deps import AnyCaller, ResponseCacheDep, ServicesDep
from reflector.http.response_cache import ResponseCache, state_of
from reflector.transcripts import queries, schemas

router = APIRouter(tags=["transcripts"])


@router.get("/transcripts/{transcript_id}/topics", response_model=list[schemas.GetTranscriptTopic])
def transcript_get_topics(
    cache: ResponseCacheDep, caller: AnyCaller, transcript_id: str
) -> Response:
    return _topics(cache, caller, transcript_id, with_words=False)


@router.get(
    "/transcripts/{transcript_id}/topics/with-words",
    response_model=list[schemas.GetTranscriptTopicWithWords],
)
def transcript_get_topics_with_words(
    cache: ResponseCacheDep, caller: AnyCaller, transcript_id: str
) -> Response:
    return _topics(cache, caller, transcript_id, with_words=True)


def _topics(cache: ResponseCache, caller: Caller, transcript_id: str, with_words: bool) -> Response:
    def make(session: Session) -> list[dict[str, Any]]:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        return queries.topics_of(session, transcript, with_words=with_words)

    return cache.answer(
        caller, ("topics", transcript_id, with_words), make, state_of(transcript_id)
    )


@router.get("/transcripts/{transcript_id}/topics/{topic_id}/words-per-speaker")
def transcript_get_topics_with_words_per_speaker(
    services: ServicesDep, caller: AnyCaller, transcript_id: str, topic_id: str
) -> schemas.GetTranscriptTopicWithWordsPerSpeaker:
    """Get one topic with its words, grouped by consecutive words of one speaker."""
    with services.db.read() as session:
        topics = queries.topics_of(
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


@router.get("/transcripts/{transcript_id}/words", response_model=list[schemas.RecognisedWord])
def transcript_get_words(
    cache: ResponseCacheDep, caller: AnyCaller, transcript_id: str
) -> Response:
    """Extra: get all words in order, even before there are topics."""

    def make(session: Session) -> list[Any]:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        words = load_recognised(session, transcript_id, transcript.shown_run)
        return [
            {**word.timed(), "probability": word.probability} if word.is_unsure else word.timed()
            for word in words
        ]

    return cache.answer(caller, ("words", transcript_id), make, state_of(transcript_id))


@router.get("/transcripts/{transcript_id}/live-text")
def transcript_get_live_text(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> list[schemas.LiveLine]:
    """Extra: get what was said so far in a recording that runs, or as it was before the final text.

    The latter is kept for LIVE_TEXT_DAYS. Only who may change the transcript gets it: it is without
    their corrections.
    """
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        found = queries.live_text_of(session, transcript_id, may_change(caller, transcript))
    return [schemas.LiveLine(**line) for line in found]


@router.get("/transcripts/{transcript_id}/translation")
def transcript_get_translation(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.Translation:
    """Extra: get the translation to the target language, a line for each segment of a speaker."""
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        output = queries.translation_of(session, transcript)
    if output is None:
        raise NotFound("There is no translation of this transcript.")
    return schemas.Translation(**output)
