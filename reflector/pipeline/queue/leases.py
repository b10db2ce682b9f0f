"""Lease steps to workers: taken in one statement, renewed while the work goes on.

A worker that is killed stops renewing, and after LEASE_SECONDS the step is free again.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from sqlalchemy import or_, update

from reflector.db.engine import Database
from reflector.db.models import Step, StepState, now

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 8.0


class LeaseLost(Exception):
    """The step was taken away: its transcript was deleted, or the lease expired."""


def take(db: Database, transcript_id: str, run: int, name: str, worker: str) -> Step | None:
    """Take the step for `worker` and return it; None if it is done, gone, or taken."""
    moment = now()
    free = or_(
        Step.state == StepState.PENDING,
        (Step.state == StepState.RUNNING) & (Step.lease_until < moment),
    )
    with db.write() as session:
        step_id = session.scalar(
            update(Step)
            .where(Step.transcript_id == transcript_id, Step.run == run, Step.name == name, free)
            .values(
                state=StepState.RUNNING,
                worker=worker,
                lease_until=moment + timedelta(seconds=LEASE_SECONDS),
                attempt=Step.attempt + 1,
                started_at=moment,
                finished_at=None,
                error=None,
                retry_at=None,
            )
            .returning(Step.id)
            .execution_options(synchronize_session=False)
        )
        return session.get(Step, step_id) if step_id is not None else None


class Lease:
    """Renew the lease of a step in the background, as a context manager.

    `check` raises LeaseLost.
    """

    def __init__(self, db: Database, step: Step) -> None:
        self._db = db
        self._step_id = step.id
        self._worker = step.worker
        self._stop = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._renew_until_stopped, daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        if self._lost:
            raise LeaseLost

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            try:
                self._lost = not self._renew()
            except Exception:
                log.warning("renewing the lease of step %s failed", self._step_id, exc_info=True)
            if self._lost:
                return

    def _renew(self) -> bool:
        with self._db.write() as session:
            renewed = session.scalar(
                update(Step)
                .where(
                    Step.id == self._step_id,
                    Step.worker == self._worker,
                    Step.state == StepState.RUNNING,
                )
                .values(lease_until=now() + timedelta(seconds=LEASE_SECONDS))
                .returning(Step.id)
                .execution_options(synchronize_session=False)
            )
            return renewed is not None
