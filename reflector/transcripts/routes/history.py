"""Show who changed what in a transcript, and undo a change."""

from __future__ import annotations

from fastapi import APIRouter

from reflector.accounts.access import Right, get_authorized_transcript
from reflector.db.changes import touch
from reflector.db.models import Edit
from reflector.errors import NotFound
from reflector.http.deps import ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.search import index
from reflector.transcripts import history, schemas
from reflector.transcripts.changes import changing
from reflector.transcripts.undo import undo

router = APIRouter(tags=["transcripts"])


@router.get("/transcripts/{transcript_id}/history")
def transcript_get_history(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> list[schemas.EditView]:
    """Extra: the newest 200 changes that people made, the newest first; for who may change."""
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id, Right.CHANGE)
        return [schemas.EditView(**edit) for edit in history.edits_of(session, transcript_id)]


@router.post("/transcripts/{transcript_id}/history/{edit_id}/undo")
def transcript_undo(
    services: ServicesDep, caller: UserCaller, transcript_id: str, edit_id: int
) -> StatusAnswer:
    """Extra: restore what a change changed. Is refused (409) if it was changed again since.

    An undo is a change, too, so it can be undone.
    """
    with changing(services, caller, transcript_id) as (session, transcript, draft):
        edit = session.get(Edit, edit_id)
        if edit is None or edit.transcript_id != transcript_id:
            raise NotFound("There is no such change.")
        undo(session, transcript, edit, draft)
        session.flush()
        index.update(session, transcript)
        touch(session, transcript)
    return StatusAnswer()
