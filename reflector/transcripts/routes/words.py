"""Correct the words of a transcript."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from reflector.accounts.access import Caller
from reflector.db.edits import note_words
from reflector.db.words import load_words
from reflector.errors import InvalidInput
from reflector.http.deps import ServicesDep, UserCaller
from reflector.pipeline.runs import is_active, steps_of
from reflector.search import index
from reflector.services import Services
from reflector.transcript.words import Word
from reflector.transcripts import schemas
from reflector.transcripts.changes import changing, save_words
from reflector.transcripts.corrections import corrected_words, move_topics, places_of

router = APIRouter(tags=["transcripts"])


@router.patch("/transcripts/{transcript_id}/words")
def transcript_correct_words(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.WordCorrection
) -> list[schemas.Word]:
    """Extra: correct the words that start in `[timestamp_from, timestamp_to]`; return the new ones.

    Words that stay keep their times, others take the times of those they replace. Is refused (409)
    if the words are no longer `before`.
    """
    [fresh] = _correct(services, caller, transcript_id, [info])
    return [schemas.Word(**word.timed()) for word in fresh]


@router.post("/transcripts/{transcript_id}/words/corrections")
def transcript_correct_many_words(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.WordCorrections
) -> schemas.CorrectionCount:
    """Extra: correct words in several places, all of them or none. The places must not overlap."""
    places = _correct(services, caller, transcript_id, info.corrections)
    return schemas.CorrectionCount(corrected=len(places))


def _correct(
    services: Services,
    caller: Caller,
    transcript_id: str,
    corrections: Sequence[schemas.WordCorrection],
) -> list[list[Word]]:
    """Correct the words of all places as one edit. Return the new words of each."""
    result = []
    with changing(services, caller, transcript_id) as (session, transcript, draft):
        if is_active(steps_of(session, transcript_id, transcript.last_run)):
            raise InvalidInput("The recording is being processed. Correct its words after that.")
        words = load_words(session, transcript_id, transcript.shown_run)
        for info in corrections:
            first, last = places_of(words, info.timestamp_from, info.timestamp_to, info.before)
            was, fresh = words[first:last], corrected_words(words, first, last, info.text)
            note_words(transcript, was[0].start, was[-1].end, " ".join(info.text.split()))
            move_topics(session, transcript, first, last, len(fresh))
            draft.add_place(was, fresh)
            words = [*words[:first], *fresh, *words[last:]]
            result.append(fresh)
        save_words(session, transcript, words)
        session.flush()
        index.update(session, transcript)
    return result
