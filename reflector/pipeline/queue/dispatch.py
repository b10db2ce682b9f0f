"""Ask workers to look at the next step."""

from __future__ import annotations

from typing import Protocol

from reflector.db.engine import Database
from reflector.db.models import Transcript, now
from reflector.pipeline.runs import ready, steps_of
from reflector.pipeline.step import StepDefinition


class Dispatcher(Protocol):
    def nudge(self, transcript_id: str, run: int, spec: StepDefinition) -> None:
        """Ask some worker to look at this step soon. The nudge may be lost, doubled or late."""

    def is_idle(self) -> bool:
        """Return whether certainly no nudge is on its way; False if that is unknown."""


def nudge_ready(db: Database, dispatcher: Dispatcher, transcript_id: str, run: int) -> None:
    """Nudge the steps of a run that are ready; none while its transcript is in the trash."""
    with db.write() as session:
        transcript = session.get(Transcript, transcript_id)
        if transcript is None or transcript.deleted_at is not None:
            return
        steps = steps_of(session, transcript_id, run)
        specs = ready(steps)
        for spec in specs:
            steps[spec.name].nudged_at = now()
    for spec in specs:
        dispatcher.nudge(transcript_id, run, spec)
