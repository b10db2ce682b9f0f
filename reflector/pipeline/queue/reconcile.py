"""Find steps whose message or worker was lost, and nudge them again."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from reflector.db.models import Status, Step, StepState, Transcript, now
from reflector.events.outbox import Outbox
from reflector.pipeline.memory import MAX_ATTEMPTS
from reflector.pipeline.registry import STEPS
from reflector.pipeline.runner import Runner
from reflector.pipeline.runs import ready, steps_of
from reflector.pipeline.step import StepDefinition, StepName

log = logging.getLogger(__name__)

# A nudge may wait in a queue behind long jobs; a second one is harmless, thousands are not
NUDGE_AGAIN_SECONDS = 120
# If the queues are empty and no worker holds a message, a nudge this old was lost
LOST_AFTER_SECONDS = 5


def release_all(runner: Runner) -> None:
    """Free every lease and forget every nudge, at a start when no other worker can be alive."""
    with runner.services.db.write() as session:
        session.execute(
            update(Step)
            .where(Step.state == StepState.RUNNING)
            .values(lease_until=now() - timedelta(seconds=1))
        )
        session.execute(update(Step).where(Step.state == StepState.PENDING).values(nudged_at=None))


def reconcile(runner: Runner) -> int:
    """Free expired leases and nudge each step that is ready. Return the number of nudges."""
    with runner.services.db.read() as session:
        dead = session.scalars(
            select(Step.id).where(Step.state == StepState.RUNNING, Step.lease_until < now())
        ).all()
    for step_id in dead:
        _free(runner, step_id)
    nudges = _due(runner)
    for transcript_id, run, spec in nudges:
        runner.dispatcher.nudge(transcript_id, run, spec)
    return len(nudges)


def _free(runner: Runner, step_id: int) -> None:
    """Free a step whose lease expired; fail it if its workers have died too often."""
    with runner.services.db.write() as session:
        found = session.get(Step, step_id)
        if found is None:
            return
        transcript = session.get(Transcript, found.transcript_id, with_for_update=True)
        step = session.get(Step, step_id, with_for_update=True, populate_existing=True)
        if transcript is None or step is None or not _is_dead(step):
            return
        step.nudged_at = step.lease_until = step.worker = None
        events = Outbox(runner.services.bus, session, transcript, step.run)
        if step.attempt < MAX_ATTEMPTS:
            step.state = StepState.PENDING
            log.warning("%s: %s lost its worker, starting it again", step.transcript_id, step.name)
        else:
            step.state, step.finished_at = StepState.FAILED, now()
            step.error = step.error or (
                f"The worker stopped {step.attempt} times during {step.name}. "
                "The log of that time says why; then process the recording again."
            )
            if not STEPS[StepName(step.name)].optional:
                transcript.error = step.error
                events.status(Status.ERROR)


def _is_dead(step: Step) -> bool:
    return (
        step.state == StepState.RUNNING
        and step.lease_until is not None
        and step.lease_until < now()
    )


def _due(runner: Runner) -> list[tuple[str, int, StepDefinition]]:
    seconds = LOST_AFTER_SECONDS if runner.dispatcher.is_idle() else NUDGE_AGAIN_SECONDS
    stale = now() - timedelta(seconds=seconds)
    with runner.services.db.read() as session:
        waiting = [
            (transcript_id, run, spec)
            for transcript_id, run in session.execute(_stuck_runs(stale)).all()
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
    return waiting


def _stuck_runs(stale: datetime) -> Select[str, int]:
    """Select runs with work left in which nothing runs and nothing was nudged lately.

    A running step nudges the next one itself. Thousands of steps that wait in a queue are not
    checked one by one.
    """
    other = aliased(Step)
    moving = exists().where(
        other.transcript_id == Step.transcript_id,
        other.run == Step.run,
        or_(
            other.state == StepState.RUNNING,
            and_(
                other.state == StepState.PENDING,
                other.nudged_at >= stale,
                or_(other.retry_at.is_(None), other.retry_at > now()),
            ),
        ),
    )
    return (
        select(Step.transcript_id, Step.run)
        .join(Transcript, Transcript.id == Step.transcript_id)
        .where(Step.state == StepState.PENDING, Transcript.deleted_at.is_(None), ~moving)
        .distinct()
    )


def _is_stale(step: Step, stale: datetime) -> bool:
    if step.nudged_at is None:
        return True
    retry_due = step.retry_at is not None and step.nudged_at < step.retry_at
    return retry_due or step.nudged_at < stale
