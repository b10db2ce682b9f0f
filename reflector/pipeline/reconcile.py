"""Nothing waits for a message that was lost: what should run is looked up and nudged again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update

from reflector.db.models import Status, Step, StepState, Transcript, now
from reflector.events.record import Recorder
from reflector.pipeline.runner import Runner
from reflector.pipeline.runs import ready, steps_of
from reflector.pipeline.specs import SPECS, StepName, StepSpec

log = logging.getLogger(__name__)

# A nudge may wait in a queue behind long jobs; a second one does no harm, thousands would.
NUDGE_AGAIN_SECONDS = 120
MAX_ATTEMPTS = 5


def release_all(runner: Runner) -> None:
    """Free every lease and forget every nudge: for a start when no other worker can be alive."""
    with runner.services.db.write() as session:
        session.execute(
            update(Step)
            .where(Step.state == StepState.RUNNING)
            .values(lease_until=now() - timedelta(seconds=1))
        )
        session.execute(update(Step).where(Step.state == StepState.PENDING).values(nudged_at=None))


def reconcile(runner: Runner) -> int:
    """Free dead leases and nudge each step whose turn it is; the number of nudges."""
    _free_dead_leases(runner)
    nudges = _due(runner)
    for transcript_id, run, spec in nudges:
        runner.dispatcher.nudge(transcript_id, run, spec)
    return len(nudges)


def _free_dead_leases(runner: Runner) -> None:
    recorders = []
    with runner.services.db.read() as session:
        dead = select(Step.id).where(Step.state == StepState.RUNNING, Step.lease_until < now())
        if session.scalar(dead.limit(1)) is None:
            return
    with runner.services.db.write() as session:
        rows = session.scalars(
            select(Step).where(Step.state == StepState.RUNNING, Step.lease_until < now())
        ).all()
        for step in rows:
            step.nudged_at = None
            step.lease_until = None
            step.worker = None
            if step.attempt < MAX_ATTEMPTS:
                step.state = StepState.PENDING
                log.warning(
                    "%s: %s lost its worker, starting it again", step.transcript_id, step.name
                )
                continue
            step.state, step.finished_at = StepState.FAILED, now()
            step.error = (
                f"The worker stopped {step.attempt} times during {step.name}. "
                "The log of that time says why; then process the recording again."
            )
            if not SPECS[StepName(step.name)].optional:
                transcript = session.get_one(Transcript, step.transcript_id)
                transcript.error = step.error
                events = Recorder(runner.services.bus, session, transcript, step.run)
                events.status(Status.ERROR)
                recorders.append(events)
    for events in recorders:
        events.tell()


def _due(runner: Runner) -> list[tuple[str, int, StepSpec]]:
    stale = now() - timedelta(seconds=NUDGE_AGAIN_SECONDS)
    due: list[tuple[str, int, StepSpec]] = []
    pending = select(Step.transcript_id, Step.run).where(Step.state == StepState.PENDING).distinct()
    with runner.services.db.read() as session:
        waiting = [
            (transcript_id, run, spec)
            for transcript_id, run in session.execute(pending).all()
            for steps in [steps_of(session, transcript_id, run)]
            for spec in ready(steps)
            if _is_stale(steps[spec.name], stale)
        ]
    if not waiting:
        return []
    with runner.services.db.write() as session:
        for transcript_id, run, spec in waiting:
            session.execute(
                update(Step)
                .where(Step.transcript_id == transcript_id, Step.run == run, Step.name == spec.name)
                .values(nudged_at=now())
            )
            due.append((transcript_id, run, spec))
    return due


def _is_stale(step: Step, stale: datetime) -> bool:
    if step.nudged_at is None:
        return True
    retry_due = step.retry_at is not None and step.nudged_at < step.retry_at
    return retry_due or step.nudged_at < stale
