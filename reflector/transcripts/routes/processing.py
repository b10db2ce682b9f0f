"""Process a recording again, and report the progress of its newest run."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from sqlalchemy import select

from reflector.accounts.access import Right, get_authorized_transcript
from reflector.db.edits import edited_parts
from reflector.db.models import Status, Step, StepState
from reflector.errors import InvalidInput
from reflector.events.outbox import Outbox
from reflector.http.deps import AnyCaller, DispatcherDep, PublicCaller, ServicesDep
from reflector.pipeline.queue.dispatch import nudge_ready
from reflector.pipeline.runs import (
    failed_language_steps,
    is_active,
    reset_steps,
    start_run,
    steps_of,
)
from reflector.pipeline.step import StepName
from reflector.transcripts import schemas

router = APIRouter(tags=["transcripts"])


@router.post("/transcripts/{transcript_id}/process")
def transcript_process(
    services: ServicesDep,
    dispatcher: DispatcherDep,
    caller: PublicCaller,
    transcript_id: str,
    steps: Literal["all", "failed"] = "all",
    edits: Literal["keep", "discard"] = "keep",
) -> schemas.ProcessStatus:
    """Process the recording again.

    Extra: `steps=failed` repeats only the parts of the analysis that failed. `edits=discard` drops
    what people changed in title, summaries and speakers. Names of speakers stay.
    """
    with services.db.write() as session:
        transcript = get_authorized_transcript(
            session, caller, transcript_id, Right.MANAGE, lock=True
        )
        if transcript.locked:
            raise InvalidInput("Recording is locked")
        if not transcript.upload_key:
            raise InvalidInput("Recording is not ready for processing")
        current = steps_of(session, transcript_id, transcript.last_run)
        if is_active(current) and transcript.status != Status.ERROR:
            raise InvalidInput("already running")
        failed = failed_language_steps(current)
        if steps == "failed":
            if not failed:
                raise InvalidInput("No part of the analysis failed")
            run = transcript.last_run
            events = Outbox(services.bus, session, transcript, run)
            reset_steps(current, failed, events)
        else:
            if edits == "discard":
                transcript.edits = None
            run = start_run(session, transcript)
            events = Outbox(services.bus, session, transcript, run)
            events.status(Status.PROCESSING)
    nudge_ready(services.db, dispatcher, transcript_id, run)
    return schemas.ProcessStatus(status="ok")


@router.get("/transcripts/{transcript_id}/run")
def transcript_get_run(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.RunView:
    """Extra: get the newest run, step by step."""
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
            change_seq=transcript.change_seq,
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
