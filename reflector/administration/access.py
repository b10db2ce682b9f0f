"""Decide who is an administrator. Without accounts, everybody is one."""

from __future__ import annotations

from reflector.accounts.access import Caller
from reflector.db.models import User
from reflector.errors import Forbidden, NotFound, Unauthenticated
from reflector.services import Services

NOT_ALLOWED = "Only administrators may do this. Ask one to make your account an administrator."
NO_ACCOUNTS = "This server has no accounts."


def is_administrator(services: Services, caller: Caller) -> bool:
    if not services.identity.policy.has_accounts:
        return True
    if caller.user_id is None:
        return False
    with services.db.read() as session:
        user = session.get(User, caller.user_id)
        return user is not None and user.is_administrator and user.disabled_at is None


def admit(services: Services, caller: Caller) -> None:
    """Raise Unauthenticated or Forbidden if the caller is no administrator."""
    if caller.is_anonymous and services.identity.policy.has_accounts:
        raise Unauthenticated("Not authenticated")
    if not is_administrator(services, caller):
        raise Forbidden(NOT_ALLOWED)


def admit_to_people(services: Services, caller: Caller) -> None:
    """Raise NotFound if there are no accounts to look after, and otherwise what `admit` raises."""
    admit(services, caller)
    if not services.identity.policy.has_accounts:
        raise NotFound(NO_ACCOUNTS)
