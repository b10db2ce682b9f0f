"""Find and change whom to tell: webhooks of accounts, and those of rooms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from reflector.accounts.access import NOBODY, Caller, Policy, owns
from reflector.db.attempts import PATIENCE
from reflector.db.counts import count
from reflector.db.models import Room, Webhook, WebhookDelivery, now
from reflector.errors import N_, InvalidInput, NotFound, Part
from reflector.webhooks.events import WebhookEvent
from reflector.webhooks.signature import new_secret

Target = Webhook | Room
NOT_FOUND = N_("There is no such webhook. It may have been removed meanwhile.")
OVERLAP = timedelta(hours=24)
MOST_WEBHOOKS = 50


def own(session: Session, caller: Caller, policy: Policy) -> list[Target]:
    """Return the webhooks that the caller may change, those of rooms last."""
    owners = _owners(caller, policy)
    accounts = select(Webhook).where(Webhook.user_id.in_(owners)).order_by(Webhook.created_at)
    rooms = select(Room).where(Room.user_id.in_(owners), Room.webhook_url.is_not(None))
    return [*session.scalars(accounts), *session.scalars(rooms.order_by(Room.name))]


def get(
    session: Session, caller: Caller, target_id: str, policy: Policy, *, lock: bool = True
) -> Target:
    """Return the webhook of this id, or that of the room of this id, if the caller may change it.

    Raises NotFound otherwise: who may not change it need not know of it.
    """
    locked = lock or None
    found: Target | None = session.get(Webhook, target_id, with_for_update=locked)
    if found is None:
        found = session.get(Room, target_id, with_for_update=locked)
    if found is None or not found.webhook_url or not owns(caller, found.user_id, policy):
        raise NotFound(NOT_FOUND)
    return found


def create(
    session: Session, caller: Caller, url: str, events: Sequence[WebhookEvent], secret: str
) -> Webhook:
    """Create a webhook. Raises InvalidInput if there are MOST_WEBHOOKS."""
    owner = caller.user_id or NOBODY
    if count(session, Webhook.user_id == owner) >= MOST_WEBHOOKS:
        raise InvalidInput(
            "There are {most} webhooks already. Remove one first.", most=MOST_WEBHOOKS
        )
    webhook = Webhook(
        user_id=owner, webhook_url=url, webhook_secret=secret or new_secret(), events=list(events)
    )
    session.add(webhook)
    session.flush()
    return webhook


def rotate(target: Target, secret: str | None = None) -> None:
    """Give it this secret, or a new one. The old one signs, too, while the receiver is changed."""
    if target.webhook_secret:
        target.webhook_previous_secret = target.webhook_secret
        target.webhook_previous_until = now() + OVERLAP
    target.webhook_secret = secret or new_secret()


def secrets_of(target: Target) -> list[str]:
    """Return the secrets that sign now, the newest first."""
    found = [target.webhook_secret]
    until = target.webhook_previous_until
    if until is not None and until > now():
        found.append(target.webhook_previous_secret)
    return [secret for secret in found if secret]


def is_any_failing(session: Session, caller: Caller, policy: Policy) -> bool:
    """Return whether a webhook that the caller may change was paused because it failed."""
    return any(
        session.scalar(
            select(table.id)
            .where(table.user_id.in_(_owners(caller, policy)), table.webhook_problem.is_not(None))
            .limit(1)
        )
        for table in (Webhook, Room)
    )


def _owners(caller: Caller, policy: Policy) -> list[str]:
    """Return whose rooms and webhooks the caller may change."""
    own = [] if caller.user_id is None else [caller.user_id]
    return own + ([NOBODY] if owns(caller, NOBODY, policy) else [])


def of(target: Target) -> ColumnElement[bool]:
    """Return the condition for the deliveries to it."""
    column = WebhookDelivery.webhook_id if isinstance(target, Webhook) else WebhookDelivery.room_id
    return column == target.id


def set_url(session: Session, target: Target, url: str) -> None:
    """Send to another address. What made the one before fail does not count any more."""
    if url == target.webhook_url:
        return
    target.webhook_url = url
    if target.webhook_paused_at is None or target.webhook_problem is not None:
        resume(session, target)


def pause(target: Target, problem: list[Part] | None) -> None:
    """Send nothing until it is resumed. What happens meanwhile waits."""
    target.webhook_paused_at = target.webhook_paused_at or now()
    target.webhook_problem = problem


def resume(session: Session, target: Target) -> None:
    """Send again, and what has waited first, with all its time."""
    target.webhook_paused_at = target.webhook_problem = target.webhook_not_before = None
    moment = now()
    session.execute(
        update(WebhookDelivery)
        .where(of(target), WebhookDelivery.due_at.is_not(None))
        .values(due_at=moment, expires_at=moment + PATIENCE, failures=0)
        .execution_options(synchronize_session=False)
    )


def remove(session: Session, target: Target) -> None:
    """Remove the webhook with its deliveries."""
    session.execute(delete(WebhookDelivery).where(of(target)))
    if isinstance(target, Webhook):
        session.delete(target)
        return
    target.webhook_url = target.webhook_secret = None
    target.webhook_previous_secret = target.webhook_previous_until = None
    target.webhook_paused_at = target.webhook_problem = target.webhook_not_before = None
