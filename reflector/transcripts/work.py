"""Tell how long recordings that wait or are being processed will take.

Recordings are assumed to be processed one after the other, at the speed of the last ones. That is
right for one worker, and too careful for several.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, listed
from reflector.db.models import Status, Step, StepState, Transcript, now
from reflector.pipeline.step import StepName

RECENT = 20
BUSY = (Status.UPLOADED, Status.PROCESSING)


@dataclass
class _Work:
    """The newest run of one recording; times in seconds."""

    transcript_id: str
    duration: float
    first_step: int
    is_waiting: bool
    spent: float


def listed_for(session: Session, caller: Caller) -> list[dict[str, Any]]:
    """Return what waits or is processed of what `caller` sees in lists, in its order."""
    shown = set(session.scalars(select(Transcript.id).where(listed(caller), *_busy())))
    if not shown:
        return []
    speed = _seconds_per_second(session)
    found, place, before = [], 0, 0.0
    for each in _all_work(session):
        place += each.is_waiting
        left = max(0.0, speed * each.duration - each.spent) if speed and each.duration else None
        before += left or 0.0
        if each.transcript_id in shown:
            found.append(
                {
                    "transcript_id": each.transcript_id,
                    "place": place if each.is_waiting else 0,
                    "seconds_left": None if left is None else round(before, 1),
                }
            )
    return found


def _busy() -> tuple[Any, ...]:
    return Transcript.deleted_at.is_(None), Transcript.status.in_(BUSY)


def _all_work(session: Session) -> list[_Work]:
    """Return all work in the order in which it began."""
    rows = session.execute(
        select(Transcript.id, Transcript.duration, Step)
        .join(Step, (Step.transcript_id == Transcript.id) & (Step.run == Transcript.last_run))
        .where(*_busy())
        .order_by(Step.id)
    )
    found: dict[str, _Work] = {}
    moment = now()
    for transcript_id, duration, step in rows:
        work = found.setdefault(
            transcript_id, _Work(transcript_id, duration / 1000, step.id, False, 0.0)
        )
        work.spent += _seconds([step], moment)
        if step.name == StepName.TRANSCRIBE:
            work.is_waiting = step.state == StepState.PENDING
    return sorted(found.values(), key=lambda work: (work.is_waiting, work.first_step))


def _seconds(steps: Iterable[Step], moment: datetime) -> float:
    """Return how long steps that have begun took, or have taken until `moment`."""
    return sum(
        ((step.finished_at or moment) - step.started_at).total_seconds()
        for step in steps
        if step.started_at is not None and step.state in {StepState.RUNNING, StepState.DONE}
    )


def _seconds_per_second(session: Session) -> float | None:
    """Return the seconds of work for a second of sound, of the last first runs; None without any.

    Later runs take results over from the first, so they say nothing.
    """
    done = select(Step.transcript_id).where(
        Step.name == StepName.FINISH, Step.state == StepState.DONE, Step.run == 1
    )
    recent = list(session.scalars(done.order_by(Step.id.desc()).limit(RECENT)))
    rows = session.execute(
        select(Transcript.duration, Step)
        .join(Step, Step.transcript_id == Transcript.id)
        .where(Step.run == 1, Transcript.id.in_(recent), Transcript.duration > 0)
    )
    spent: dict[str, tuple[float, list[Step]]] = {}
    for duration, step in rows:
        spent.setdefault(step.transcript_id, (duration / 1000, []))[1].append(step)
    moment = now()
    ratios = [_seconds(steps, moment) / duration for duration, steps in spent.values()]
    return median(ratios) if ratios else None
