"""Manage webhooks and their deliveries. All routes are extra: the reference has one for each room."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi_pagination import Page
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.db import models, paging
from reflector.db.counts import count
from reflector.errors import InvalidInput, NotFound, sentence
from reflector.http.deps import ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.services import Services
from reflector.webhooks import delivery, schemas, targets
from reflector.webhooks.events import WebhookEvent
from reflector.webhooks.targets import Target

router = APIRouter(tags=["webhooks"], prefix="/webhooks")


def _view(session: Session, target: Target) -> schemas.Webhook:
    room = target if isinstance(target, models.Room) else None
    waiting = targets.of(target), models.WebhookDelivery.due_at.is_not(None)
    return schemas.Webhook(
        id=target.id,
        room=schemas.WebhookRoom(id=room.id, name=room.name) if room else None,
        url=target.webhook_url or "",
        secret=target.webhook_secret,
        events=target.events if isinstance(target, models.Webhook) else list(WebhookEvent),
        previous_secret_until=target.webhook_previous_until,
        paused_at=target.webhook_paused_at,
        problem=sentence(target.webhook_problem),
        problem_parts=target.webhook_problem,
        waiting=count(session, *waiting),
    )


def _delivery(row: models.WebhookDelivery) -> schemas.WebhookDelivery:
    ended = "delivered" if row.delivered_at and not row.error else "failed"
    return schemas.WebhookDelivery(
        id=row.id,
        event=row.event,
        transcript_id=row.transcript_id,
        state="waiting" if row.due_at else ended,
        created_at=row.created_at,
        due_at=row.due_at,
        delivered_at=row.delivered_at,
        attempts=row.attempts,
        status_code=row.status_code,
        error=sentence(row.error),
        error_parts=row.error,
    )


@router.get("")
def webhooks_list(services: ServicesDep, caller: UserCaller) -> list[schemas.Webhook]:
    """Extra: list your webhooks, and those of rooms that you may change."""
    with services.db.read() as session:
        found = targets.own(session, caller, services.identity.policy)
        return [_view(session, target) for target in found]


@router.post("")
def webhooks_create(
    services: ServicesDep, caller: UserCaller, info: schemas.CreateWebhook
) -> schemas.Webhook:
    """Extra: be told about your recordings at this address. Without a `secret` one is made."""
    with services.db.write() as session:
        made = targets.create(session, caller, info.url, info.events, info.secret)
        return _view(session, made)


@router.patch("/{webhook_id}")
def webhooks_update(
    services: ServicesDep, caller: UserCaller, webhook_id: str, info: schemas.UpdateWebhook
) -> schemas.Webhook:
    """Extra: change a webhook, pause it, or send again. The webhook of a room is told every event."""
    with services.db.write() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy)
        if info.events is not None:
            if isinstance(target, models.Room):
                raise InvalidInput("The webhook of a room is told every event.")
            target.events = list(info.events)
        if info.url is not None:
            targets.set_url(session, target, info.url)
        if info.is_paused:
            targets.pause(target, None)
        elif info.is_paused is False:
            targets.resume(session, target)
        session.flush()
        return _view(session, target)


@router.delete("/{webhook_id}")
def webhooks_delete(services: ServicesDep, caller: UserCaller, webhook_id: str) -> StatusAnswer:
    """Extra: remove a webhook with its deliveries. What waits is not sent."""
    with services.db.write() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy)
        targets.remove(session, target)
    return StatusAnswer()


@router.post("/{webhook_id}/rotate")
def webhooks_rotate_secret(
    services: ServicesDep, caller: UserCaller, webhook_id: str
) -> schemas.Webhook:
    """Extra: make a new secret. For 24 hours the old one signs, too."""
    with services.db.write() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy)
        targets.rotate(target)
        return _view(session, target)


@router.post("/{webhook_id}/test")
def webhooks_test(
    services: ServicesDep, caller: UserCaller, webhook_id: str
) -> schemas.WebhookTest:
    """Extra: send an event `test`, and show what was answered."""
    with services.db.read() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy, lock=False)
        session.expunge(target)
    return delivery.test(services, target)


@router.get("/{webhook_id}/deliveries")
def webhooks_list_deliveries(
    services: ServicesDep,
    caller: UserCaller,
    webhook_id: str,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Page[schemas.WebhookDelivery]:
    """Extra: list what was sent in the last 30 days and what waits, the newest first."""
    with services.db.read() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy, lock=False)
        wanted = targets.of(target)
        order = models.WebhookDelivery.created_at.desc(), models.WebhookDelivery.id
        query = select(models.WebhookDelivery).where(wanted).order_by(*order)
        items = [_delivery(row) for row in session.scalars(paging.cut(query, page, size))]
        return Page(items=items, **paging.page_fields(page, size, count(session, wanted)))


@router.post("/{webhook_id}/deliveries/{delivery_id}/send")
def webhooks_send_again(
    services: ServicesDep, caller: UserCaller, webhook_id: str, delivery_id: str
) -> schemas.WebhookDelivery:
    """Extra: send it once more, now, with the same id. A body that was delivered is made anew."""
    found = _find(services, caller, webhook_id, delivery_id)
    delivery.send_now(services, found.id)
    return _delivery(_find(services, caller, webhook_id, delivery_id))


def _find(
    services: Services, caller: Caller, webhook_id: str, delivery_id: str
) -> models.WebhookDelivery:
    """Return a delivery of a webhook that the caller may change. Raises NotFound otherwise."""
    with services.db.read() as session:
        target = targets.get(session, caller, webhook_id, services.identity.policy, lock=False)
        wanted = models.WebhookDelivery.id == delivery_id, targets.of(target)
        row = session.scalars(select(models.WebhookDelivery).where(*wanted)).first()
        if row is None:
            raise NotFound("There is no such delivery. It may have been removed meanwhile.")
        session.expunge(row)
        return row
