"""Check a password, limit the attempts, and log the outcome."""

from __future__ import annotations

import logging

from reflector.accounts import users
from reflector.accounts.identity import DISABLED
from reflector.accounts.limiter import LoginLimiter, TooManyLogins
from reflector.accounts.passwords import verify_password
from reflector.accounts.strength import MAXIMUM
from reflector.db.engine import Database
from reflector.db.models import User
from reflector.errors import N_, Busy, Unauthenticated
from reflector.runtime.log import about

log = logging.getLogger(__name__)

WRONG = N_("Invalid email or password")
TOO_MANY = N_("Too many login attempts. Try again later.")


def check_password(db: Database, email: str, password: str, address: str) -> User:
    """Return the account of a correct login, in the same time whatever is wrong.

    Raises Unauthenticated if the login is refused, and Busy if there were too many attempts.
    """
    name = users.same_email(email)
    if len(name) > users.MAX_EMAIL or len(password) > MAXIMUM:
        note_login(f"{len(name)} characters", address, "refused")
        raise Unauthenticated(WRONG)
    limiter = begin_attempt(db, name, address, TOO_MANY)
    with db.read() as session:
        user = users.password_account(session, name)
    if not verify_password(password, user.password_hash if user else None) or user is None:
        note_login(name, address, "refused")
        raise Unauthenticated(WRONG)
    if user.disabled_at is not None:
        note_login(name, address, "refused: disabled")
        raise Unauthenticated(DISABLED)
    limiter.succeeded(name, address)
    note_login(name, address, "succeeded")
    return user


def begin_attempt(db: Database, name: str, address: str, too_many: str) -> LoginLimiter:
    """Count an attempt with a password, and return what to tell if it succeeds.

    Raises Busy with the sentence `too_many` if it came too early.
    """
    limiter = LoginLimiter(db)
    try:
        limiter.begin(name, address)
    except TooManyLogins as error:
        note_login(name, address, "delayed")
        raise Busy(too_many, retry_seconds=error.seconds) from None
    return limiter


def note_login(email: str, address: str, outcome: str) -> None:
    """Log a login for administrators with the fields that they search for; never a password."""
    with about(event="login", account=email, address=address, outcome=outcome):
        # repr() escapes line breaks, so user input cannot start a log line of its own
        log.info("login of %r from %s: %s", email, address, outcome)
