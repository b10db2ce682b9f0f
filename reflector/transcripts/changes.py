"""Change a transcript: lock it, store its words, note the edit, tell its viewers."""

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
from reflector.transcripts import history
from reflector.transcripts.history import Draft, Snapshot


@contextmanager
def changing(
    services: Services, caller: Caller, transcript_id: str, right: Right = Right.CHANGE
) -> Iterator[tuple[Session, Transcript, Draft]]:
    """Yield the transcript, locked, if `caller` has `right` to it; then note the edit and tell viewers.

    Changed columns and participants are noted by themselves. Who changes words adds them to the draft.
    """
    with services.db.write() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id, right, lock=True)
        was, draft = Snapshot.take(session, transcript), Draft()
        yield session, transcript, draft
        history.note(session, transcript, caller.user_id, was, draft)
        publish_changed(session, services.bus, transcript_id)


def save_words(session: Session, transcript: Transcript, words: Sequence[Word]) -> None:
    """Replace the words on show."""
    if transcript.shown_run is not None and words:
        store_words(session, transcript.id, transcript.shown_run, words)
    touch(session, transcript)
