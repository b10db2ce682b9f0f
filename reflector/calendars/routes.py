"""Serve the events of a room's calendar, as the reference does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.calendars import schemas, sync
from reflector.db.counts import count
from reflector.db.models import CalendarEvent, Room, now
from reflector.errors import N_, Forbidden, InvalidInput
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller
from reflector.rooms import access
from reflector.services import Services

router = APIRouter(tags=["rooms"], prefix="/rooms/{room_name}")

NO_SYNC = N_("Only room owner can trigger ICS sync")
NO_STATUS = N_("Only room owner can view ICS status")
A_YEAR_OF_MINUTES = 366 * 24 * 60


def _own(session: Session, services: Services, caller: Caller, name: str, refusal: str) -> Room:
    room = access.get_by_name(session, name)
    if not access.may_change(caller, room, services.identity.policy):
        raise Forbidden(refusal)
    return room


@router.post("/ics/sync")
def rooms_sync_ics(
    services: ServicesDep, caller: UserCaller, room_name: str
) -> schemas.ICSSyncResult:
    """Read the calendar now. What goes wrong with it is a result, too."""
    with services.db.read() as session:
        room = _own(session, services, caller, room_name, NO_SYNC)
        if not room.ics_enabled or not room.ics_url:
            raise InvalidInput(sync.NOT_CONFIGURED)
        room_id = room.id
    return sync.synchronise(services, room_id)


@router.get("/ics/status")
def rooms_ics_status(
    services: ServicesDep, caller: UserCaller, room_name: str
) -> schemas.ICSStatus:
    with services.db.read() as session:
        room = _own(session, services, caller, room_name, NO_STATUS)
        is_on = room.ics_enabled and room.ics_url is not None
        is_kept = CalendarEvent.room_id == room.id, CalendarEvent.is_deleted.is_(False)
        return schemas.ICSStatus(
            status="enabled" if is_on else "disabled",
            last_sync=room.ics_last_sync,
            next_sync=room.ics_next_sync if is_on else None,
            last_etag=room.ics_last_etag,
            events_count=count(session, *is_kept),
            problem_parts=room.ics_problem,
        )


@router.get("/meetings")
def rooms_list_meetings(
    services: ServicesDep, caller: AnyCaller, room_name: str
) -> list[schemas.CalendarEventResponse]:
    """List the events of the calendar: from yesterday on, for two weeks."""
    return _events(services, caller, room_name, now() - sync.PAST, now() + sync.AHEAD)


@router.get("/meetings/upcoming")
def rooms_list_upcoming_meetings(
    services: ServicesDep,
    caller: AnyCaller,
    room_name: str,
    minutes_ahead: Annotated[int, Query()] = 120,
) -> list[schemas.CalendarEventResponse]:
    """List what goes on, and what begins in so many minutes."""
    ahead = timedelta(minutes=min(max(minutes_ahead, 0), A_YEAR_OF_MINUTES))
    return _events(services, caller, room_name, now(), now() + ahead)


def _events(
    services: Services, caller: Caller, name: str, since: datetime, until: datetime
) -> list[schemas.CalendarEventResponse]:
    with services.db.read() as session:
        room = access.get_by_name(session, name)
        if not room.ics_enabled:
            return []
        rows = session.scalars(
            select(CalendarEvent)
            .where(
                CalendarEvent.room_id == room.id,
                CalendarEvent.is_deleted.is_(False),
                CalendarEvent.end_time > since,
                CalendarEvent.start_time <= until,
            )
            .order_by(CalendarEvent.start_time, CalendarEvent.ics_uid)
        )
        concealed = _concealed(services, caller, room)
        names = schemas.CalendarEventResponse.model_fields
        found = []
        for row in rows:
            fields = {each: None if each in concealed else getattr(row, each) for each in names}
            # Programs put addresses of people into these
            fields["ics_uid"] = fields["ics_uid"] or row.id
            found.append(schemas.CalendarEventResponse(**fields))
        return found


def _concealed(services: Services, caller: Caller, room: Room) -> set[str]:
    """Return the fields of events that the caller must not see."""
    policy = services.identity.policy
    if access.may_change(caller, room, policy):
        return set()
    concealed = {"description", "attendees", "ics_uid"}
    is_stranger = caller.is_anonymous and policy.has_accounts
    if is_stranger or not access.may_see(caller, room):
        # Who only knows the room's name learns when it is taken
        concealed |= {"title", "location"}
    return concealed
