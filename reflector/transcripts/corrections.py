"""Put corrected words in place of those that were recognised."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.db.models import Topic, Transcript
from reflector.errors import Conflict, InvalidInput, NotFound
from reflector.transcript.alignment import corrected
from reflector.transcript.words import Word, plain_text


def places_of(words: Sequence[Word], start: float, end: float, before: str) -> tuple[int, int]:
    """Return where the words that start in `[start, end]` are: the first, and the one after the last.

    Raises NotFound if there are none, and Conflict if they are no longer `before`.
    """
    places = [n for n, word in enumerate(words) if start <= word.start <= end]
    if not places:
        raise NotFound("There are no words at this time")
    first, last = places[0], places[-1] + 1
    said = plain_text(words[first:last])
    if said.split() != before.split():
        raise Conflict("Somebody else has changed these words meanwhile to “{said}”.", said=said)
    return first, last


def corrected_words(words: Sequence[Word], first: int, last: int, text: str) -> list[Word]:
    """Return `text` as words in place of `words[first:last]`.

    Raises InvalidInput if no word would be left.
    """
    fresh = corrected(words[first:last], text)
    if len(fresh) == 0 and last - first == len(words):
        raise InvalidInput("A transcript needs a word at least; delete it instead.")
    return fresh


def move_topics(
    session: Session, transcript: Transcript, first: int, last: int, count: int
) -> None:
    """Let topics begin and end at the same words, now that `count` replace those of `[first, last)`."""

    def moved(place: int) -> int:
        return place + count - (last - first) if place >= last else min(place, first + count)

    for topic in session.scalars(
        select(Topic).where(Topic.transcript_id == transcript.id, Topic.run == transcript.shown_run)
    ):
        topic.first_word, topic.last_word = moved(topic.first_word), moved(topic.last_word)
