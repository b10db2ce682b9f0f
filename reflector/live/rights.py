"""Check that a caller may record into a transcript."""

from __future__ import annotations

from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, Right, get_authorized_transcript
from reflector.db.models import Transcript
from reflector.errors import InvalidInput

HAS_RECORDING = "This transcript has its recording already: create another one for another."


def open_transcript(
    session: Session, caller: Caller, transcript_id: str, own: str | None = None, lock: bool = False
) -> Transcript:
    """Return the transcript if the caller may record into it.

    It has no recording yet, or the one with the key `own`. Raises InvalidInput otherwise.
    """
    transcript = get_authorized_transcript(session, caller, transcript_id, Right.MANAGE, lock=lock)
    if transcript.locked:
        raise InvalidInput("Transcript is locked")
    if transcript.upload_key not in {None, own}:
        raise InvalidInput(HAS_RECORDING)
    return transcript
