"""Delay the next login after failures, longer each time, without locking anyone out.

An attempt counts for the account together with the client's address, so others cannot lock a user
out of an account. It also counts for the address alone, so that one client cannot try every
account. Attempts are database rows: the count survives a restart and holds for all processes. An
attempt counts as failed from its start and is removed if it succeeds, so a hundred concurrent
attempts do not get a hundred guesses.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import cast

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from reflector.db.engine import Database
from reflector.db.models import LoginAttempt, now

# How long a failure counts
WINDOW = timedelta(hours=1)
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=15)
IPV6_SITE = 64


class TooManyLogins(Exception):
    """The next attempt came too early; nothing was checked."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"wait {wait}")
        self.seconds = max(1, math.ceil(wait.total_seconds()))


@dataclass(frozen=True)
class _Counted:
    """A `key` in the table, and how many failures are `free` of any delay."""

    key: str
    free: int

    def delay(self, failures: int) -> timedelta:
        if failures < self.free:
            return timedelta()
        return min(FIRST_DELAY * (1 << min(failures - self.free, 20)), LONGEST_DELAY)


class LoginLimiter:
    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, email: str, address: str) -> None:
        """Record one attempt. Raises TooManyLogins if it came too early."""
        moment = now()
        counted = list(_counted(email, address))
        with self._db.write() as session:
            session.execute(delete(LoginAttempt).where(LoginAttempt.at < moment - WINDOW))
            wait = max(_open_at(session, each) for each in counted) - moment
            if wait <= timedelta():
                session.add_all(LoginAttempt(key=each.key, at=moment) for each in counted)
        if wait > timedelta():
            raise TooManyLogins(wait)

    def succeeded(self, email: str, address: str) -> None:
        """Reset the count of the account after a successful login.

        Of the address's attempts only the latest is removed. Otherwise someone with one account
        could keep guessing passwords of the others.
        """
        account, client = _counted(email, address)
        with self._db.write() as session:
            session.execute(delete(LoginAttempt).where(LoginAttempt.key == account.key))
            newest = (
                select(LoginAttempt.id)
                .where(LoginAttempt.key == client.key)
                .order_by(LoginAttempt.id.desc())
                .limit(1)
                .scalar_subquery()
            )
            session.execute(delete(LoginAttempt).where(LoginAttempt.id == newest))


def _open_at(session: Session, counted: _Counted) -> datetime:
    """Return when the next attempt is allowed."""
    found = session.execute(
        select(func.count(), func.max(LoginAttempt.at)).where(LoginAttempt.key == counted.key)
    ).one()
    failures, last = cast(tuple[int, datetime | None], tuple(found))
    return datetime.min.replace(tzinfo=UTC) if last is None else last + counted.delay(failures)


def _counted(email: str, address: str) -> Iterator[_Counted]:
    """Yield the key of the account with the address, and that of the address alone.

    The address has a higher limit because an office may share one.
    """
    client = _client(address)
    yield _Counted(_hashed("account", email, client), 5)
    yield _Counted(_hashed("address", client), 50)


def _client(address: str) -> str:
    """Return the address to count by: an IPv6 /64 network, because a client has 2^64 addresses."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(int(found) >> (128 - IPV6_SITE))
    return str(found)


def _hashed(*parts: str) -> str:
    """Return a hash of fixed length, whatever the input."""
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
