"""The end of a run: its result comes on show, in one transaction."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reflector.db.models import Event, Status, Step, StepState, Topic, Transcript, Words
from reflector.events.record import Recorder
from reflector.pipeline.runs import steps_of
from reflector.pipeline.table import SHOW_AT_FINISH


def show_result(session: Session, transcript: Transcript, run: int, events: Recorder) -> None:
    """Put run `run` on show, drop what it replaces, and set the transcript to `ended`.

    A part of the new result that failed leaves nothing of the old result behind under its name:
    a title from another text would be wrong.
    """
    if transcript.shown_run != run:
        transcript.shown_run = run
        transcript.title = transcript.short_summary = transcript.long_summary = None
        transcript.action_items = None
        steps = steps_of(session, transcript.id, run)
        for name, show in SHOW_AT_FINISH.items():
            if steps[name].state == StepState.DONE:
                show(transcript, steps[name].output or {}, events)
        for table in (Event, Topic, Words, Step):
            session.execute(
                delete(table)
                .where(table.transcript_id == transcript.id, table.run < run)
                .execution_options(synchronize_session=False)
            )
    transcript.error = None
    events.status(Status.ENDED)
