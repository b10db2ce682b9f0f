"""Start, inspect and retry runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.db.models import Status, Step, StepState, Transcript, new_id, now
from reflector.events.outbox import Outbox
from reflector.pipeline.registry import LANGUAGE_STEPS, STEPS
from reflector.pipeline.step import StepDefinition, StepName
from reflector.speech.engines import chosen_language


def start_run(session: Session, transcript: Transcript) -> int:
    """Start a run with all its steps pending; return its number. The first run is shown at once."""
    transcript.last_run += 1
    run = transcript.last_run
    if transcript.shown_run is None:
        transcript.shown_run = run
    transcript.error = None
    for name in STEPS:
        if name is not StepName.TRANSLATE or _is_to_be_translated(transcript):
            session.add(Step(transcript_id=transcript.id, run=run, name=name))
    return run


def _is_to_be_translated(transcript: Transcript) -> bool:
    """Return whether to translate, as far as is known before the language is detected."""
    target, source = transcript.target_language, transcript.source_language
    return chosen_language(target) is not None and target != source


def take_recording(session: Session, transcript: Transcript, key: str, events: Outbox) -> int:
    """Start the first run of the recording stored as `key`. Nudge it after the commit."""
    transcript.upload_key, transcript.upload_version = key, new_id()
    transcript.has_tracks = None
    run = start_run(session, transcript)
    events.status(Status.UPLOADED)
    return run


def steps_of(session: Session, transcript_id: str, run: int) -> dict[StepName, Step]:
    rows = session.scalars(
        select(Step).where(Step.transcript_id == transcript_id, Step.run == run)
    ).all()
    by_name = {StepName(row.name): row for row in rows}
    return {name: by_name[name] for name in STEPS if name in by_name}


def is_active(steps: Mapping[StepName, Step]) -> bool:
    """Return whether the run still has something to do, now or when a retry is due."""
    if is_stopped(steps):
        return False
    return any(not StepState(step.state).is_final for step in steps.values())


def is_stopped(steps: Mapping[StepName, Step]) -> bool:
    """Return whether a step failed that the run needs."""
    return any(
        step.state == StepState.FAILED and not STEPS[name].optional for name, step in steps.items()
    )


def ready(steps: Mapping[StepName, Step]) -> list[StepDefinition]:
    """Return the pending steps that can start. One that needs a failed step can too: to fail."""
    if is_stopped(steps):
        return []
    moment = now()
    return [
        STEPS[name]
        for name, step in steps.items()
        if step.state == StepState.PENDING
        and (step.retry_at is None or step.retry_at <= moment)
        and all(
            StepState(steps[n].state).is_final
            for n in (*STEPS[name].needs, *STEPS[name].after)
            if n in steps
        )
    ]


def failed_need(steps: Mapping[StepName, Step], spec: StepDefinition) -> Step | None:
    return next((steps[n] for n in spec.needs if steps[n].state == StepState.FAILED), None)


def failed_language_steps(steps: Mapping[StepName, Step]) -> list[StepName]:
    can_be_missing = (*LANGUAGE_STEPS, StepName.TRANSLATE)
    return [n for n in can_be_missing if n in steps and steps[n].state == StepState.FAILED]


def reset_steps(steps: Mapping[StepName, Step], names: Iterable[StepName], events: Outbox) -> None:
    """Set failed steps back to pending, and `finish` with them."""
    for name in (*names, StepName.FINISH):
        step = steps[name]
        step.state, step.error, step.retry_at, step.attempt = StepState.PENDING, None, None, 0
        step.nudged_at = None
    events.status(Status.PROCESSING)
