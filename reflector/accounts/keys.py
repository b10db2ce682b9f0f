"""Create, look up and expire API keys. Only their hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from reflector.db.engine import Database
from reflector.db.models import User, UserApiKey, now
from reflector.errors import Unauthenticated
from reflector.runtime.settings import Settings

API_KEY_BYTES = 48
DAYS = 365
MAX_DAYS = 3650
# Minimum time between two updates of `last_used_at`
TOUCH = timedelta(minutes=10)


def keyed_hash(settings: Settings, secret: str) -> str:
    """Return HMAC-SHA256 under SECRET_KEY, in hex.

    Someone who can only read the database cannot test guessed secrets.
    """
    key = settings.SECRET_KEY.get_secret_value().encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def create(
    session: Session, settings: Settings, user_id: str, name: str | None, days: int = DAYS
) -> tuple[UserApiKey, str]:
    """Create a key. Return its row and its secret, which is not stored."""
    key = secrets.token_urlsafe(API_KEY_BYTES)
    row = UserApiKey(
        user_id=user_id,
        key_hash=keyed_hash(settings, key),
        name=name,
        expires_at=now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, key


def owner(db: Database, settings: Settings, key: str) -> str | None:
    """Return the user id of the key's owner; None if the key is unknown.

    Raises Unauthenticated if the key has expired or its account is disabled.
    """
    with db.read() as session:
        row = session.execute(
            select(UserApiKey, User.disabled_at)
            .outerjoin(User, User.id == UserApiKey.user_id)
            .where(UserApiKey.key_hash == keyed_hash(settings, key))
        ).first()
    if row is None:
        return None
    stored: UserApiKey = row[0]
    if row.disabled_at is not None:
        raise Unauthenticated("The account of this API key is disabled.")
    if stored.expires_at is not None and stored.expires_at <= now():
        day = stored.expires_at.date().isoformat()
        raise Unauthenticated("This API key expired on {day}. Make a new one.", day=day)
    if stored.last_used_at is None or stored.last_used_at < now() - TOUCH:
        with db.write() as session:
            session.execute(
                update(UserApiKey).where(UserApiKey.id == stored.id).values(last_used_at=now())
            )
    return stored.user_id


def of_account(session: Session, user_id: str) -> list[UserApiKey]:
    """Return the keys of the account, newest first."""
    return list(
        session.scalars(
            select(UserApiKey)
            .where(UserApiKey.user_id == user_id)
            .order_by(UserApiKey.created_at.desc())
        )
    )


def remove(session: Session, user_id: str, key_id: str | None = None) -> int:
    """Remove one key of an account, or all of them. Return how many were removed."""
    wanted = delete(UserApiKey).where(UserApiKey.user_id == user_id)
    if key_id is not None:
        wanted = wanted.where(UserApiKey.id == key_id)
    return len(session.scalars(wanted.returning(UserApiKey.id)).all())
