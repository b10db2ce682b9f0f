"""List and change the accounts of other people."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reflector.accounts import users
from reflector.administration.schemas import Person
from reflector.db.models import LoginSession, Transcript, User
from reflector.errors import InvalidInput, NotFound
from reflector.events.outbox import tell_signed_out
from reflector.services import Services

PASSWORD_BYTES = 12


def listed(session: Session) -> list[Person]:
    """Return all accounts, the oldest first."""
    last_seen = select(LoginSession.user_id, func.max(LoginSession.last_seen_at)).group_by(
        LoginSession.user_id
    )
    counts = select(Transcript.user_id, func.count()).group_by(Transcript.user_id)
    seen = {row[0]: row[1] for row in session.execute(last_seen).all()}
    recordings = {row[0]: row[1] for row in session.execute(counts).all()}
    return [
        Person(
            id=user.id,
            email=user.email,
            created_at=user.created_at,
            last_seen_at=seen.get(user.id),
            administrator=user.is_administrator,
            disabled=user.disabled_at is not None,
            recordings=recordings.get(user.id, 0),
        )
        for user in session.scalars(select(User).order_by(User.created_at, User.id))
    ]


def create(services: Services, email: str) -> tuple[str, str]:
    """Create an account; return its id and its first password, which cannot be shown again."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    hashed = users.checked_hash(password, email)
    with services.db.write() as session:
        user = users.create(session, email, hashed)
        user.must_change_password = True
        return user.id, password


def change(
    services: Services, user_id: str, *, disabled: bool | None, administrator: bool | None
) -> None:
    """Change what is not None. Raises InvalidInput if no administrator would be left."""

    def apply(session: Session, user: User) -> None:
        if administrator is True:
            users.promote(user)
        elif administrator is False:
            users.demote(session, user)
        if disabled is True:
            users.keep_an_administrator(session, user)
            users.disable(session, user)
        elif disabled is False:
            user.disabled_at = None

    _apply(services, user_id, apply)


def sign_out(services: Services, user_id: str) -> None:
    _apply(services, user_id, users.sign_out)


def remove(services: Services, user_id: str, heir_id: str | None) -> None:
    """Remove the account. Raises InvalidInput if it is the last administrator or needs an heir."""

    def apply(session: Session, user: User) -> None:
        users.keep_an_administrator(session, user)
        heir = _existing(session, heir_id) if heir_id else None
        if heir is None and (count := users.owns(session, user)):
            raise InvalidInput(
                "{email} owns {count} recordings or rooms.",
                "Choose who gets them.",
                email=user.email,
                count=count,
            )
        users.remove(session, user, heir)

    _apply(services, user_id, apply)


def _apply(services: Services, user_id: str, apply: Callable[[Session, User], object]) -> None:
    with services.db.write() as session:
        apply(session, _existing(session, user_id))
    services.identity.forget()
    tell_signed_out(services.bus, user_id)


def _existing(session: Session, user_id: str) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such account. It may have been removed meanwhile.")
    return user
