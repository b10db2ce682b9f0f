"""List the steps that run or wait, and cancel runs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from reflector.accounts.access import Caller, may_read
from reflector.administration.schemas import WorkStep
from reflector.db.changes import touch
from reflector.db.models import Status, Step, StepState, Transcript, User, now
from reflector.errors import Conflict, NotFound
from reflector.events.outbox import Outbox
from reflector.pipeline.registry import STEPS
from reflector.pipeline.runs import is_active, steps_of
from reflector.services import Services

CANCELLED = "Cancelled by an administrator."
MOST = 500


def listed(session: Session, caller: Caller) -> list[WorkStep]:
    """Return at most `MOST` steps that run or wait, those of one recording together.

    A title is shown only to a caller who may read the recording.
    """
    failed = aliased(Step)
    needed = [name for name, spec in STEPS.items() if not spec.optional]
    is_over = (
        select(failed.id)
        .where(
            failed.transcript_id == Step.transcript_id,
            failed.run == Step.run,
            failed.state == StepState.FAILED,
            failed.name.in_(needed),
        )
        .exists()
    )
    rows = session.execute(
        select(Step, Transcript, User.email)
        .join(Transcript, Transcript.id == Step.transcript_id)
        .outerjoin(User, User.id == Transcript.user_id)
        .where(
            Step.state.in_([StepState.RUNNING, StepState.PENDING]),
            Step.run == Transcript.last_run,
            Transcript.deleted_at.is_(None),
            ~is_over,
        )
        .order_by(Step.transcript_id, Step.id)
        .limit(MOST)
    )
    return [_view(caller, *row) for row in rows]


def _view(caller: Caller, step: Step, transcript: Transcript, email: str | None) -> WorkStep:
    return WorkStep(
        transcript_id=transcript.id,
        recording=_described(caller, transcript, email),
        run=step.run,
        step=step.name,
        state=step.state,
        attempt=step.attempt,
        worker=step.worker,
        started_at=step.started_at,
        retry_at=step.retry_at,
        finished_at=step.finished_at,
        error=step.error,
    )


def of_recording(session: Session, caller: Caller, transcript_id: str) -> list[WorkStep]:
    """Return all steps of a recording's runs that are kept, the newest run first.

    Raises NotFound without such a recording.
    """
    rows = session.execute(
        select(Step, Transcript, User.email)
        .join(Transcript, Transcript.id == Step.transcript_id)
        .outerjoin(User, User.id == Transcript.user_id)
        .where(Step.transcript_id == transcript_id)
        .order_by(Step.run.desc(), Step.id)
    ).all()
    if not rows:
        raise NotFound("There is no such recording, or it was never processed.")
    return [_view(caller, *row) for row in rows]


def _described(caller: Caller, transcript: Transcript, email: str | None) -> str:
    if may_read(caller, transcript):
        return transcript.title or transcript.name or transcript.id
    return f"A recording of {email or 'a removed account'}"


def cancel(services: Services, transcript_id: str) -> None:
    """Give up the newest run: its open steps fail, and workers stop at their next renewal.

    Raises NotFound without such a recording, and Conflict if nothing is left to cancel.
    """
    with services.db.write() as session:
        # All writers lock the transcript first
        transcript = session.get(Transcript, transcript_id, with_for_update=True)
        if transcript is None or transcript.deleted_at is not None:
            raise NotFound("There is no such recording.")
        steps = steps_of(session, transcript_id, transcript.last_run)
        if not is_active(steps):
            raise Conflict("Nothing of this recording runs or waits.")
        for step in steps.values():
            if not StepState(step.state).is_final:
                step.state, step.error, step.finished_at = StepState.FAILED, CANCELLED, now()
                # Without its name, a worker that has the step cannot store a result any more
                step.worker, step.lease_until, step.retry_at = None, None, None
        transcript.error = CANCELLED
        Outbox(services.bus, session, transcript, transcript.last_run).status(Status.ERROR)
        touch(session, transcript)
