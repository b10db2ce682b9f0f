"""Resolve the credentials of a request or a WebSocket to a caller."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import select

from reflector.accounts import keys, sessions, users, visits
from reflector.accounts.access import ANONYMOUS, Caller, Policy
from reflector.accounts.provider import Provider
from reflector.accounts.tokens import Claims, InvalidToken, Signer
from reflector.db.engine import Database
from reflector.db.models import User
from reflector.errors import N_, Unauthenticated
from reflector.runtime.settings import Settings

INVALID = N_("Invalid authentication")
DISABLED = N_("This account is disabled. Ask the administrator of this server.")
TWO_USERS = N_("Invalid authentication: more than one user provided")
# How long a resolved caller is cached. This bounds the delay until a changed password ends its
# sessions or a deleted key stops working.
REMEMBER_SECONDS = 1.0
REMEMBERED = 4096


@dataclass(frozen=True)
class Credentials:
    """The credentials of a request: `Authorization: Bearer`, `X-API-Key` and two cookies.

    `cookie` is the session, `visit` the share links that the browser has opened.
    """

    bearer: str | None = None
    api_key: str | None = None
    cookie: str | None = None
    visit: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.bearer or self.api_key or self.cookie or self.visit)


class Identity:
    """Resolve credentials with the backend that the settings name."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings, self._db = settings, db
        self.backend = settings.AUTH_BACKEND
        self.policy = Policy(self.backend != "none", settings.PUBLIC_MODE)
        self.signer = Signer(settings.SECRET_KEY.get_secret_value())
        self._memory: OrderedDict[Credentials, tuple[float, Caller]] = OrderedDict()
        self._lock = threading.Lock()
        if self.backend == "jwt":
            _ = self.provider  # an unreadable key must stop the start

    @cached_property
    def provider(self) -> Provider:
        return Provider(self._settings)

    def remembered(self, credentials: Credentials) -> Caller | None:
        """Return the caller if it is known without asking the database."""
        if not self.policy.has_accounts or credentials.is_empty:
            return ANONYMOUS
        with self._lock:
            found = self._memory.get(credentials)
        return found[1] if found and found[0] > time.monotonic() else None

    def resolve(self, credentials: Credentials, *, again: bool = False) -> Caller:
        """Return the caller.

        A cookie counts only if the request has no other credentials. `again` asks the database even
        if the caller is cached. Raises Unauthenticated if a token is not valid or if the
        credentials name two users.
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
        caller = self._with_links(caller or ANONYMOUS, credentials.visit)
        with self._lock:
            self._memory[credentials] = (time.monotonic() + REMEMBER_SECONDS, caller)
            while len(self._memory) > REMEMBERED:
                self._memory.popitem(last=False)
        return caller

    def _with_links(self, caller: Caller, visit: str | None) -> Caller:
        ids = visits.link_ids(self.signer, visit)
        if not ids:
            return caller
        with self._db.read() as session:
            readable, audible = visits.opened(session, ids)
        return replace(caller, readable=readable, audible=audible)

    def by_bearer(self, token: str) -> Caller:
        try:
            if self.backend == "jwt":
                return self._by_provider(token)
            return self._checked(self.signer.read_login(token))
        except InvalidToken as error:
            raise Unauthenticated(INVALID) from error

    def by_link_token(self, token: str) -> Caller:
        """Return the caller that a token in a link names.

        The token is a login, or one signed with SECRET_KEY, which the reference uses with any
        backend. Raises Unauthenticated if it is neither.
        """
        try:
            return self.by_bearer(token)
        except Unauthenticated:
            try:
                return self._checked(self.signer.read_login(token))
            except InvalidToken as error:
                raise Unauthenticated(INVALID) from error

    def _checked(self, claims: Claims) -> Caller:
        """Return the caller of a token after checking its account.

        A token must carry the current version of its account. One that names no version may also be
        of a subject without an account. Raises InvalidToken or Unauthenticated otherwise.
        """
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
        """Return the local account of a provider's subject; create it at the first visit.

        Raises Unauthenticated if the account is disabled.
        """
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
        """Clear the cache so that the next request asks the database: rights have changed."""
        with self._lock:
            self._memory.clear()

    def _by_api_key(self, key: str) -> Caller | None:
        """Return the owner of the key; None if it is unknown.

        Clients of the reference may send an unknown key, so that is not an error.
        """
        user_id = keys.owner(self._db, self._settings, key)
        return Caller(user_id) if user_id else None

    def _by_cookie(self, cookie: str) -> Caller | None:
        user = sessions.find(self._db, self._settings, cookie)
        if user is None:
            return None
        return Caller(user.id, user.email, must_change_password=user.must_change_password)
