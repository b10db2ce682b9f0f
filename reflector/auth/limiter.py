"""At most so many failed logins, for an account and for a client's address.

Attempts are rows, so the count survives a restart and holds for all processes together. An attempt
counts as failed from its start and is taken back if it succeeds: a hundred at once do not get a
hundred guesses.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select

from reflector.db.engine import Database
from reflector.db.models import LoginAttempt, now

MAX_FAILURES = 10
WINDOW = timedelta(seconds=300)


class TooManyLogins(Exception):
    """The limit is reached; nothing was checked."""


class LoginLimiter:
    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, email: str, address: str) -> None:
        """Count one attempt; TooManyLogins where the limit is reached already."""
        keys = _keys(email, address)
        moment = now()
        with self._db.write() as session:
            session.execute(delete(LoginAttempt).where(LoginAttempt.at < moment - WINDOW))
            counts = session.execute(
                select(LoginAttempt.key, func.count())
                .where(LoginAttempt.key.in_(keys), LoginAttempt.at >= moment - WINDOW)
                .group_by(LoginAttempt.key)
            )
            limited = any(count >= MAX_FAILURES for _, count in counts)
            if not limited:
                session.add_all(LoginAttempt(key=key, at=moment) for key in keys)
        if limited:
            raise TooManyLogins

    def succeeded(self, email: str, address: str) -> None:
        """The account starts afresh; of the address only this attempt is taken back, so that
        somebody with one account cannot go on guessing at the others."""
        account, client = _keys(email, address)
        with self._db.write() as session:
            session.execute(delete(LoginAttempt).where(LoginAttempt.key == account))
            newest = (
                select(LoginAttempt.id)
                .where(LoginAttempt.key == client)
                .order_by(LoginAttempt.id.desc())
                .limit(1)
                .scalar_subquery()
            )
            session.execute(delete(LoginAttempt).where(LoginAttempt.id == newest))


def _keys(email: str, address: str) -> tuple[str, str]:
    return f"account:{email}", f"address:{address}"
