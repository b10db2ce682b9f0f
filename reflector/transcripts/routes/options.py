"""Choose how a recording is processed. These routes are extra."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from reflector.accounts.access import Right, get_authorized_transcript
from reflector.db.models import Transcript
from reflector.http.deps import PublicCaller, ServicesDep
from reflector.pipeline.options import options_of
from reflector.summary_templates import queries as summary_templates
from reflector.transcripts import schemas

router = APIRouter(tags=["transcripts"])


def _view(session: Session, transcript: Transcript) -> schemas.ProcessingOptionsView:
    chosen = options_of(session, transcript)
    effective = schemas.EffectiveOptions(
        language=chosen.language,
        vocabulary=chosen.vocabulary,
        min_speakers=chosen.speakers.min_speakers if chosen.speakers else None,
        max_speakers=chosen.speakers.max_speakers if chosen.speakers else None,
        summary_template_id=chosen.summary_template_id,
    )
    return schemas.ProcessingOptionsView(
        own=schemas.ProcessingOptions(**(transcript.options or {})),
        effective=effective,
    )


@router.get("/transcripts/{transcript_id}/options")
def transcript_options(
    services: ServicesDep, caller: PublicCaller, transcript_id: str
) -> schemas.ProcessingOptionsView:
    """Extra: get how a recording is processed."""
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id, Right.MANAGE)
        return _view(session, transcript)


@router.put("/transcripts/{transcript_id}/options")
def transcript_set_options(
    services: ServicesDep,
    caller: PublicCaller,
    transcript_id: str,
    info: schemas.ProcessingOptions,
) -> schemas.ProcessingOptionsView:
    """Extra: choose how a recording is processed, from the next step or run on."""
    with services.db.write() as session:
        transcript = get_authorized_transcript(
            session, caller, transcript_id, Right.MANAGE, lock=True
        )
        summary_templates.check(session, caller, info.summary_template_id)
        transcript.options = info.model_dump(exclude_none=True) or None
        session.flush()
        return _view(session, transcript)
