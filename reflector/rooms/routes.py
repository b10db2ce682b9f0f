"""Create, list, change and delete rooms, as the reference does."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi_pagination import Page
from sqlalchemy import select

from reflector.accounts.access import Caller
from reflector.db import models, paging
from reflector.db.counts import count
from reflector.errors import N_
from reflector.http.deps import AnyCaller, PublicCaller, ServicesDep, UserCaller
from reflector.rooms import access, queries, schemas
from reflector.services import Services
from reflector.transcripts.schemas import DeletionStatus
from reflector.webhooks import delivery
from reflector.webhooks.schemas import WebhookTestResult

router = APIRouter(tags=["rooms"])

NO_WEBHOOK = N_("This room has no webhook.")


def _details(services: Services, caller: Caller, room: models.Room) -> schemas.RoomDetails:
    return schemas.RoomDetails(**queries.fields_for(caller, room, services.identity.policy))


@router.get("/rooms")
def rooms_list(
    services: ServicesDep,
    caller: PublicCaller,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Page[schemas.RoomDetails]:
    """List your rooms and shared ones, the newest first."""
    seen = access.listed(caller)
    with services.db.read() as session:
        total = count(session, seen)
        order = models.Room.created_at.desc(), models.Room.id
        query = select(models.Room).where(seen).order_by(*order)
        rows = session.scalars(paging.cut(query, page, size))
        items = [_details(services, caller, room) for room in rows]
    return Page(items=items, **paging.page_fields(page, size, total))


@router.get("/rooms/name/{room_name}")
def rooms_get_by_name(
    services: ServicesDep, caller: AnyCaller, room_name: str
) -> schemas.RoomDetails:
    """Get a room by its name. Who knows the name may see it, without its secrets."""
    with services.db.read() as session:
        return _details(services, caller, access.get_by_name(session, room_name))


@router.get("/rooms/{room_id}")
def rooms_get(services: ServicesDep, caller: AnyCaller, room_id: str) -> schemas.RoomDetails:
    with services.db.read() as session:
        return _details(services, caller, access.get_seen(session, caller, room_id))


@router.post("/rooms")
def rooms_create(
    services: ServicesDep, caller: UserCaller, info: schemas.CreateRoom
) -> schemas.Room:
    with services.db.write() as session:
        room = queries.create(session, caller, info.model_dump())
        return schemas.Room(**queries.fields_for(caller, room, services.identity.policy))


@router.patch("/rooms/{room_id}")
def rooms_update(
    services: ServicesDep, caller: UserCaller, room_id: str, info: schemas.UpdateRoom
) -> schemas.RoomDetails:
    """Change a room. Only the fields that are sent are written."""
    with services.db.write() as session:
        room = access.get_own(session, caller, room_id, services.identity.policy)
        queries.update(session, room, info.model_dump(exclude_unset=True))
        return _details(services, caller, room)


@router.delete("/rooms/{room_id}")
def rooms_delete(services: ServicesDep, caller: UserCaller, room_id: str) -> DeletionStatus:
    """Delete a room with its meetings. Its recordings stay with their owners."""
    with services.db.write() as session:
        session.delete(access.get_own(session, caller, room_id, services.identity.policy))
    return DeletionStatus(status="ok")


@router.post("/rooms/{room_id}/webhook/test")
def rooms_test_webhook(
    services: ServicesDep, caller: UserCaller, room_id: str
) -> WebhookTestResult:
    """Send an event `test` to the room's webhook, and show what was answered."""
    policy = services.identity.policy
    with services.db.write() as session:
        room = access.get_own(session, caller, room_id, policy, access.NO_TEST)
        session.expunge(room)
    if not room.webhook_url:
        return WebhookTestResult(success=False, error=NO_WEBHOOK)
    return delivery.test(services, room)
