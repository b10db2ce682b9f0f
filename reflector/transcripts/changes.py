"""Change a transcript: lock it, store its words, tell its viewers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, Right, get_authorized_transcript
from reflector.db.changes import touch
from reflector.db.models import Transcript
from reflector.db.words import store_words
from reflector.events.outbox import publish_changed
from reflector.services import Services
from reflector.transcript.words import Word


@contextmanager
def changing(
    services: Services, caller: Caller, transcript_id: str
) -> Iterator[tuple[Session, Transcript]]:
    """Yield the transcript, locked, if `caller` may change it; then tell its viewers."""
    with services.db.write() as session:
        right = Right.CHANGE
        yield session, get_authorized_transcript(session, caller, transcript_id, right, lock=True)
        publish_changed(session, services.bus, transcript_id)


def save_words(session: Session, transcript: Transcript, words: Sequence[Word]) -> None:
    """Replace the words on show."""
    if transcript.shown_run is not None and words:
        store_words(session, transcript.id, transcript.shown_run, words)
    touch(session, transcript)
