"""Correct the words of a transcript."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.db.edits import note_words
from reflector.db.models import Topic, Transcript
from reflector.db.words import load_words
from reflector.errors import Conflict, InvalidInput, NotFound
from reflector.http.deps import ServicesDep, UserCaller
from reflector.pipeline.runs import is_active, steps_of
from reflector.search import index
from reflector.transcript.alignment import corrected
from reflector.transcript.words import plain_text
from reflector.transcripts import schemas
from reflector.transcripts.changes import changing, save_words

router = APIRouter(tags=["transcripts"])


@router.patch("/transcripts/{transcript_id}/words")
def transcript_correct_words(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.WordCorrection
) -> list[schemas.Word]:
    """Extra: correct the words that start in `[timestamp_from, timestamp_to]`; return the new ones.

    Words that stay keep their times, others take the times of those they replace. Is refused (409)
    if the words are no longer `before`.
    """
    with changing(services, caller, transcript_id) as (session, transcript):
        if is_active(steps_of(session, transcript_id, transcript.last_run)):
            raise InvalidInput("The recording is being processed. Correct its words after that.")
        words = load_words(session, transcript_id, transcript.shown_run)
        start, end = info.timestamp_from, info.timestamp_to
        places = [n for n, word in enumerate(words) if start <= word.start <= end]
        if not places:
            raise NotFound("There are no words at this time")
        first, last = places[0], places[-1] + 1
        said = plain_text(words[first:last])
        if said.split() != info.before.split():
            raise Conflict(f"Somebody else has changed these words meanwhile to “{said}”.")
        fresh = corrected(words[first:last], info.text)
        if len(fresh) == 0 and last - first == len(words):
            raise InvalidInput("A transcript needs a word at least; delete it instead.")
        note_words(transcript, words[first].start, words[last - 1].end, " ".join(info.text.split()))
        _move_topics(session, transcript, first, last, len(fresh))
        save_words(session, transcript, [*words[:first], *fresh, *words[last:]])
        session.flush()
        index.update(session, transcript)
    return [schemas.Word(**word._asdict()) for word in fresh]


def _move_topics(
    session: Session, transcript: Transcript, first: int, last: int, count: int
) -> None:
    """Let topics begin and end at the same words, now that `count` replace those of `[first, last)`."""

    def moved(place: int) -> int:
        return place + count - (last - first) if place >= last else min(place, first + count)

    for topic in session.scalars(
        select(Topic).where(Topic.transcript_id == transcript.id, Topic.run == transcript.shown_run)
    ):
        topic.first_word, topic.last_word = moved(topic.first_word), moved(topic.last_word)
