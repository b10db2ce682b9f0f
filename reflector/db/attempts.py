"""Define what everything that is sent to other systems has: attempts, until it is there or given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, or_
from sqlalchemy.orm import Mapped, mapped_column

from reflector.db.base import now

PATIENCE = timedelta(days=3)
# Longer than looking a name up and sending may take
CLAIM = timedelta(minutes=10)
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)


class Attempts:
    """The columns of something that is sent, and what becomes of them.

    It is claimed before it is sent, so that no two workers send it; if its worker dies it is sent
    again once the claim is over. `failures` count from when it got its time anew, and decide how
    long the next attempt waits.
    """

    created_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime | None] = mapped_column(index=True, doc="None: it has ended")
    claimed_until: Mapped[datetime | None] = mapped_column(doc="a worker sends it")
    expires_at: Mapped[datetime] = mapped_column(default=lambda: now() + PATIENCE)
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[list[Any] | None] = mapped_column(
        JSON(none_as_null=True), doc="of the last attempt, as `parts` of an error"
    )
    delivered_at: Mapped[datetime | None]

    @classmethod
    def due(cls, moment: datetime) -> ColumnElement[bool]:
        """Return the condition for what `is_due`."""
        is_free = or_(cls.claimed_until.is_(None), cls.claimed_until <= moment)
        return and_(cls.due_at <= moment, is_free)

    def is_claimed(self, moment: datetime) -> bool:
        return self.claimed_until is not None and self.claimed_until > moment

    def is_due(self, moment: datetime) -> bool:
        is_time = self.due_at is not None and self.due_at <= moment
        return is_time and not self.is_claimed(moment)

    def claim(self, moment: datetime) -> None:
        self.claimed_until = moment + CLAIM
        self.attempts += 1

    def renew(self, moment: datetime) -> None:
        """Send it now, with all its time, whether it has ended or not."""
        self.due_at, self.expires_at, self.failures = moment, moment + PATIENCE, 0

    def retry(self, moment: datetime, problem: Any, asked: timedelta = timedelta(0)) -> bool:
        """Try it again later, not before `asked`. Return whether its time is not over."""
        self.error, self.claimed_until = problem, None
        self.failures += 1
        wait = max(FIRST_RETRY * 2 ** min(self.failures - 1, 20), asked)
        self.due_at = moment + min(wait, LONGEST_RETRY)
        return moment < self.expires_at

    def end(self, problem: Any = None) -> None:
        """Nothing more is sent: it is there, or `problem` says why not."""
        self.due_at = self.claimed_until = None
        self.error = problem
        if problem is None:
            self.delivered_at = now()
