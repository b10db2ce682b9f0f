"""Store browser sessions as rows, so that the server can end them.

The cookie holds a random token; the row holds its hash, as for an API key. A session ends when it
was not used for IDLE, and in any case after LONGEST.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from reflector.accounts.keys import keyed_hash
from reflector.db.counts import count
from reflector.db.engine import Database
from reflector.db.models import LoginSession, User, now
from reflector.runtime.settings import Settings

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
# Minimum time between two updates of `last_seen_at`: reading pages should not write rows
TOUCH = timedelta(minutes=10)
TOKEN_BYTES = 32
AGENT_CHARACTERS = 200


def start(session: Session, settings: Settings, user_id: str, agent: str) -> str:
    """Start a session and return the token for its cookie."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = LoginSession(
        token_hash=keyed_hash(settings, token), user_id=user_id, agent=agent[:AGENT_CHARACTERS]
    )
    session.add(row)
    return token


def find(db: Database, settings: Settings, token: str) -> User | None:
    """Return the user of a session; None if it has ended or the account is disabled."""
    hashed = keyed_hash(settings, token)
    with db.read() as session:
        row = session.execute(
            select(User, LoginSession.last_seen_at)
            .join(LoginSession, LoginSession.user_id == User.id)
            .where(LoginSession.token_hash == hashed, User.disabled_at.is_(None), _goes_on())
        ).first()
    if row is None:
        return None
    if row.last_seen_at < now() - TOUCH:
        with db.write() as session:
            session.execute(
                update(LoginSession)
                .where(LoginSession.token_hash == hashed)
                .values(last_seen_at=now())
            )
    user: User = row[0]
    return user


def of_account(session: Session, user_id: str) -> list[LoginSession]:
    """Return the active sessions of the account, the last used first."""
    return list(
        session.scalars(
            select(LoginSession)
            .where(LoginSession.user_id == user_id, _goes_on())
            .order_by(LoginSession.last_seen_at.desc())
        )
    )


def end(session: Session, settings: Settings, token: str) -> None:
    session.execute(
        delete(LoginSession).where(LoginSession.token_hash == keyed_hash(settings, token))
    )


def end_all(session: Session, user_id: str) -> int:
    """End all sessions of an account; return how many there were."""
    ended = session.scalars(
        delete(LoginSession)
        .where(LoginSession.user_id == user_id)
        .returning(LoginSession.token_hash)
    ).all()
    return len(ended)


def remove_ended(session: Session) -> int:
    """Remove the rows of expired sessions; return how many."""
    ended = count(session, ~_goes_on())
    session.execute(delete(LoginSession).where(~_goes_on()))
    return ended


def _goes_on() -> ColumnElement[bool]:
    moment = now()
    return and_(
        LoginSession.last_seen_at >= moment - IDLE, LoginSession.created_at >= moment - LONGEST
    )
