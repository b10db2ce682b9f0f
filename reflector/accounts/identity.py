"""Who asks: a caller from the credentials of a request or a WebSocket."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select

from reflector.accounts import keys, sessions, users
from reflector.accounts.access import ANONYMOUS, Caller, Policy
from reflector.accounts.provider import Provider
from reflector.accounts.tokens import Claims, InvalidToken, Signer
from reflector.db.engine import Database
from reflector.db.models import User
from reflector.errors import Unauthenticated
from reflector.runtime.settings import Settings

INVALID = "Invalid authentication"
DISABLED = "This account is disabled. Ask the administrator of this server."
TWO_USERS = "Invalid authentication: more than one user provided"
# How long an answer of the database is used again: a changed password ends sessions, a deleted
# key stops working, after at most this time.
REMEMBER_SECONDS = 1.0
REMEMBERED = 4096


@dataclass(frozen=True)
class Credentials:
    """What a request brought: `Authorization: Bearer`, `X-API-Key`, the cookie of our pages."""

    bearer: str | None = None
    api_key: str | None = None
    cookie: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.bearer or self.api_key or self.cookie)


class Identity:
    """Resolves credentials for the backend that the settings name."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self.backend = settings.AUTH_BACKEND
        self.policy = Policy(self.backend != "none", settings.PUBLIC_MODE)
        self.signer = Signer(settings.SECRET_KEY.get_secret_value())
        self._memory: OrderedDict[Credentials, tuple[float, Caller]] = OrderedDict()
        self._lock = threading.Lock()
        if self.backend == "jwt":
            _ = self.provider  # a key that cannot be read stops the start

    @cached_property
    def provider(self) -> Provider:
        return Provider(self._settings)

    def remembered(self, credentials: Credentials) -> Caller | None:
        """Return the caller if this can be told without the database."""
        if not self.policy.has_accounts or credentials.is_empty:
            return ANONYMOUS
        with self._lock:
            found = self._memory.get(credentials)
        return found[1] if found and found[0] > time.monotonic() else None

    def resolve(self, credentials: Credentials, *, again: bool = False) -> Caller:
        """Return the caller; Unauthenticated where a token is not valid or two users are named.

        A cookie counts only where the request brings nothing else. `again`: ask the database, also
        where the answer is remembered.
        """
        if not self.policy.has_accounts or credentials.is_empty:
            return ANONYMOUS
        if not again and (known := self.remembered(credentials)) is not None:
            return known
        by_token = self.by_bearer(credentials.bearer) if credentials.bearer else None
        by_key = self._by_api_key(credentials.api_key) if credentials.api_key else None
        if by_token and by_key and by_token.user_id != by_key.user_id:
            raise Unauthenticated(TWO_USERS)
        caller = by_token or by_key
        if caller is None and credentials.cookie and not credentials.bearer:
            caller = self._by_cookie(credentials.cookie)
        caller = caller or ANONYMOUS
        with self._lock:
            self._memory[credentials] = (time.monotonic() + REMEMBER_SECONDS, caller)
            while len(self._memory) > REMEMBERED:
                self._memory.popitem(last=False)
        return caller

    def by_bearer(self, token: str) -> Caller:
        try:
            if self.backend == "jwt":
                return self._by_provider(token)
            return self._checked(self.signer.read_login(token))
        except InvalidToken as error:
            raise Unauthenticated(INVALID) from error

    def by_link_token(self, token: str) -> Caller:
        """Who a token in a link names: a login, or, as the reference makes them with any backend, a
        token signed with SECRET_KEY. Unauthenticated otherwise."""
        try:
            return self.by_bearer(token)
        except Unauthenticated:
            try:
                return self._checked(self.signer.read_login(token))
            except InvalidToken as error:
                raise Unauthenticated(INVALID) from error

    def _checked(self, claims: Claims) -> Caller:
        """Check the account of a token. One without an account stands for itself; with one it has to be of its
        version."""
        with self._db.read() as session:
            row = session.execute(
                select(User.token_version, User.email, User.disabled_at).where(
                    User.id == claims.subject
                )
            ).first()
        if row is None and claims.version is not None:
            raise InvalidToken("the account was removed")
        if row is not None and (claims.version or 0) != row.token_version:
            raise InvalidToken("the account has signed out everywhere since")
        if row is not None and row.disabled_at is not None:
            raise Unauthenticated(DISABLED)
        return Caller(claims.subject, claims.email or (row.email if row else None))

    def _by_provider(self, token: str) -> Caller:
        body = self.provider.verify(token)
        email = body.get("email")
        if not isinstance(email, str) or not email:
            raise InvalidToken("the token has no e-mail address")
        return self.account_of(str(body["sub"]), email)

    def account_of(self, subject: str, email: str) -> Caller:
        """Return the local account of a provider's subject, made at its first visit;
        Unauthenticated where it is disabled."""
        with self._db.read() as session:
            row = session.execute(
                select(User.id, User.email, User.disabled_at).where(User.authentik_uid == subject)
            ).first()
        if row is not None and row.disabled_at is not None:
            raise Unauthenticated(DISABLED)
        if row is not None and row.email == users.same_email(email):
            return Caller(row.id, row.email)
        with self._db.write() as session:
            user = users.from_provider(session, subject, email)
            return Caller(user.id, user.email)

    def forget(self) -> None:
        """Ask the database again at the next request: rights have changed here."""
        with self._lock:
            self._memory.clear()

    def _by_api_key(self, key: str) -> Caller | None:
        """None for an unknown key, which clients of the reference send along without harm."""
        user_id = keys.owner(self._db, self._settings, key)
        return Caller(user_id) if user_id else None

    def _by_cookie(self, cookie: str) -> Caller | None:
        user = sessions.find(self._db, self._settings, cookie)
        return Caller(user.id, user.email) if user else None
