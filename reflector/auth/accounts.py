"""Accounts: found, made, given a password."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reflector.auth.passwords import hash_password, is_hash, normalised
from reflector.db.engine import Database
from reflector.db.models import User, UserApiKey
from reflector.errors import ConfigurationError, InvalidInput
from reflector.settings import Settings

MINIMUM_PASSWORD = 8
API_KEY_BYTES = 48


def same_email(email: str) -> str:
    """The form in which addresses are compared and stored."""
    return email.strip().lower()


def password_account(session: Session, email: str) -> User | None:
    return session.scalars(
        select(User)
        .where(User.email == same_email(email), User.password_hash.is_not(None))
        .order_by(User.created_at)
        .limit(1)
    ).first()


def create(session: Session, email: str, password_hash: str) -> User:
    """A password account; InvalidInput if there is one with this address."""
    if password_account(session, email):
        raise InvalidInput(f"There is an account {same_email(email)} already.")
    return _add(session, email, password_hash)


def _add(session: Session, email: str, password_hash: str) -> User:
    """IntegrityError if there is one with this address."""
    address = same_email(email)
    if "@" not in address or any(c.isspace() for c in address):
        raise InvalidInput(f"“{email}” is not an e-mail address.")
    user = User(email=address, authentik_uid=f"local:{address}", password_hash=password_hash)
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, email: str, password_hash: str) -> User:
    """Change the password and end every session of the account."""
    user = password_account(session, email)
    if user is None:
        raise InvalidInput(f"There is no account {same_email(email)}.")
    user.password_hash = password_hash
    user.token_version += 1
    return user


def checked_hash(password: str) -> str:
    if len(password) < MINIMUM_PASSWORD:
        raise InvalidInput(f"A password needs at least {MINIMUM_PASSWORD} characters.")
    return hash_password(password)


def from_provider(session: Session, subject: str, email: str) -> User:
    """The local account of somebody whom the identity provider knows, made or brought up to date."""
    user = session.scalars(select(User).where(User.authentik_uid == subject)).first()
    if user is None:
        user = User(email=same_email(email), authentik_uid=subject)
        session.add(user)
        session.flush()
    elif user.email != same_email(email):
        user.email = same_email(email)
    return user


def provision_admin(db: Database, settings: Settings) -> None:
    """ADMIN_EMAIL and ADMIN_PASSWORD_HASH make an account, once for each value of the hash.

    A password that was changed since stays: a restart does not bring back the old one.
    """
    if not settings.ADMIN_EMAIL or settings.ADMIN_PASSWORD_HASH is None:
        return
    wanted = normalised(settings.ADMIN_PASSWORD_HASH.get_secret_value())
    if not is_hash(wanted):
        raise ConfigurationError(
            "ADMIN_PASSWORD_HASH is not a password hash",
            "Make one with `reflector admin hash`.",
        )
    try:
        _provision(db, settings.ADMIN_EMAIL, wanted)
    except IntegrityError:
        # Several processes start at once, and another one has just made the account
        _provision(db, settings.ADMIN_EMAIL, wanted)


def _provision(db: Database, email: str, wanted: str) -> None:
    with db.write() as session:
        user = password_account(session, email)
        if user is None:
            user = _add(session, email, wanted)
        elif user.provisioned_hash not in {wanted, None} and user.password_hash != wanted:
            set_password(session, email, wanted)
        user.provisioned_hash = wanted


def key_hash(settings: Settings, key: str) -> str:
    secret = settings.SECRET_KEY.get_secret_value().encode()
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()


def new_api_key(
    session: Session, settings: Settings, user_id: str, name: str | None
) -> tuple[UserApiKey, str]:
    """The stored key and its secret, which is not stored."""
    key = secrets.token_urlsafe(API_KEY_BYTES)
    row = UserApiKey(user_id=user_id, key_hash=key_hash(settings, key), name=name)
    session.add(row)
    session.flush()
    return row, key
