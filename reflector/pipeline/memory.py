"""Handle workers that were killed for lack of memory.

Endless retries would take the machine down each time. The step gets one more attempt, because
another one may have used most of the memory. Then it fails.
"""

from __future__ import annotations

import os
from datetime import timedelta

from sqlalchemy import func, update

from reflector.db.engine import Database
from reflector.db.models import Step, StepState, now

# `SERVICE_RESULT` of a unit whose process the kernel killed for lack of memory (systemd.exec(5))
OUT_OF_MEMORY = "oom-kill"
MAX_ATTEMPTS = 5
SENTENCE = (
    "The work on this recording took more memory than the machine has for it. Add memory or choose a "
    "smaller speech model, then process the recording again."
)


def invocation() -> str | None:
    """Return systemd's id for this run of the unit; its ExecStopPost sees the same."""
    return os.environ.get("INVOCATION_ID")


def note_killed(db: Database, invocation: str) -> int:
    """Free the steps of the workers in that run of a unit; return how many."""
    with db.write() as session:
        found = session.scalars(
            update(Step)
            .where(Step.state == StepState.RUNNING, Step.worker.startswith(f"{invocation}."))
            .values(
                lease_until=now() - timedelta(seconds=1),
                attempt=func.max(Step.attempt, MAX_ATTEMPTS - 1)
                if db.is_sqlite
                else func.greatest(Step.attempt, MAX_ATTEMPTS - 1),
                error=SENTENCE,
            )
            .returning(Step.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(found)
