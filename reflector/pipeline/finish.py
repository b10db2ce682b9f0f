"""End a run: show its result, in one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from reflector.db.edits import FIELDS, is_edited
from reflector.db.models import Event, Status, Step, StepState, Topic, Transcript, Words
from reflector.db.words import load_words, named_speakers, store_words
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.pipeline.carry_over import is_corrected, with_corrections
from reflector.pipeline.registry import STEPS
from reflector.pipeline.runs import steps_of
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

LIVE_TEXT = (EventName.LIVE, EventName.LIVE_KEPT)


def show_result(
    session: Session, transcript: Transcript, run: int, events: Outbox, *, keeps_live_text: bool
) -> None:
    """Show run `run`, delete what it replaces, and set the transcript to `ended`.

    If a part of the new result failed, the old part is removed all the same: a title of another
    text would be wrong. What people wrote stays.
    """
    if transcript.shown_run != run:
        _carry_over(session, transcript, run)
        transcript.shown_run = run
        for name in FIELDS:
            if not is_edited(transcript, name):
                setattr(transcript, name, None)
        steps = steps_of(session, transcript.id, run)
        for name, step in STEPS.items():
            if step.show is not None and steps[name].state == StepState.DONE:
                step.show(transcript, steps[name].output or {}, events)
        for table in (Event, Topic, Words, Step):
            old = delete(table).where(table.transcript_id == transcript.id, table.run < run)
            if table is Event:
                old = old.where(Event.name.not_in(LIVE_TEXT))
            session.execute(old.execution_options(synchronize_session=False))
    _end_live_text(session, transcript, keeps_live_text)
    transcript.error = None
    events.status(Status.ENDED)
    webhooks.announce(session, transcript, WebhookEvent.COMPLETED)


def _end_live_text(session: Session, transcript: Transcript, is_kept: bool) -> None:
    """Take live text off the page: the final text has its place."""
    is_own, is_live = Event.transcript_id == transcript.id, Event.name == EventName.LIVE
    gone = Event.name.in_([EventName.TRANSCRIPT, EventName.TOPIC]) & (Event.run == 0)
    if session.scalar(select(Event.id).where(is_own, is_live).limit(1)) is not None:
        gone |= Event.name == EventName.LIVE_KEPT  # live text began anew from 0
    change = update(Event).values(name=EventName.LIVE_KEPT) if is_kept else delete(Event)
    for statement in (delete(Event).where(is_own, gone), change.where(is_own, is_live)):
        session.execute(statement.execution_options(synchronize_session=False))


def _carry_over(session: Session, transcript: Transcript, run: int) -> None:
    """Apply corrections of speakers that were made while this run worked.

    Its words already include the earlier ones.
    """
    named = named_speakers(session, transcript.id)
    if not is_corrected(transcript, named):
        return
    shown = load_words(session, transcript.id, transcript.shown_run)
    words = load_words(session, transcript.id, run)
    kept = with_corrections(transcript, words, shown, named)
    if kept != words:
        store_words(session, transcript.id, run, kept)
