"""Keep the events of rooms as their calendars have them."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from reflector.calendars.expand import expanded
from reflector.calendars.fetch import fetch
from reflector.calendars.schemas import ICSSyncResult, SyncStatus
from reflector.db.engine import is_disconnect
from reflector.db.models import CalendarEvent, Room, now
from reflector.errors import N_, Conflict, Part, ReflectorError, filled
from reflector.services import Services

log = logging.getLogger(__name__)

PAST = timedelta(hours=24)
AHEAD = timedelta(days=14)
# The same feed has other events once time has passed
EXPAND_AGAIN = timedelta(hours=6)
CLAIM = timedelta(minutes=5)
TURN_SECONDS = 60.0
BATCH = 50
FAILED: list[Part] = [(N_("This server failed to read the calendar. Its log says why."), {})]

NOT_CONFIGURED = N_("ICS not configured for this room")
BEING_READ = N_("The calendar is being read just now.")

_turn = threading.Lock()
_being_read: set[str] = set()


def execute(services: Services) -> int:
    """Synchronise the calendars that are due. Return how many there were."""
    if not _turn.acquire(blocking=False):
        return 0
    try:
        moment, until = now(), time.monotonic() + TURN_SECONDS
        is_due = or_(Room.ics_next_sync.is_(None), Room.ics_next_sync <= moment)
        wanted = select(Room.id).where(Room.ics_enabled, Room.ics_url.is_not(None), is_due)
        with services.db.read() as session:
            due = session.scalars(wanted.order_by(Room.ics_next_sync).limit(BATCH)).all()
        done = 0
        for room_id in due:
            if time.monotonic() > until:
                break
            if _claim(services, room_id, moment):
                with suppress(Conflict):
                    synchronise(services, room_id)
                done += 1
        return done
    finally:
        _turn.release()


def _claim(services: Services, room_id: str, moment: datetime) -> bool:
    """Return whether this process is to do it: no two workers do."""
    is_due = or_(Room.ics_next_sync.is_(None), Room.ics_next_sync <= moment)
    with services.db.write() as session:
        claimed = session.scalar(
            update(Room)
            .where(Room.id == room_id, is_due)
            .values(ics_next_sync=moment + CLAIM)
            .returning(Room.id)
            .execution_options(synchronize_session=False)
        )
    return claimed is not None


def synchronise(services: Services, room_id: str) -> ICSSyncResult:
    """Fetch the calendar of a room, and keep its events. What failed leaves them as they are.

    Raises Conflict if this process does so already.
    """
    if room_id in _being_read:
        raise Conflict(BEING_READ)
    _being_read.add(room_id)
    try:
        return _synchronise(services, room_id)
    finally:
        _being_read.discard(room_id)


def _synchronise(services: Services, room_id: str) -> ICSSyncResult:
    with services.db.read() as session:
        room = session.get(Room, room_id)
        if room is None or not room.ics_url:
            return ICSSyncResult(status=SyncStatus.SKIPPED, reason=NOT_CONFIGURED)
        url, known, is_own = room.ics_url, room.ics_last_etag, room.platform == "in-person"
        name, expanded_at = room.name, room.ics_expanded_at
    moment = now()
    since, until = moment - PAST, moment + AHEAD
    problem: list[Part] | None = None
    try:
        feed = fetch(services.allowed_addresses, url)
        found = hashlib.sha256(feed).hexdigest()
        is_fresh = expanded_at is not None and moment - expanded_at < EXPAND_AGAIN
        events = None if found == known and is_fresh else expanded(feed, since, until)
    except ReflectorError as error:
        problem = error.parts
    except Exception as error:
        if is_disconnect(error):
            raise
        log.exception("the calendar of the room %s failed", room_id)
        problem = FAILED
    with services.db.write() as session:
        room = session.get(Room, room_id, with_for_update=True)
        if room is None or room.ics_url != url:
            return ICSSyncResult(status=SyncStatus.SKIPPED, reason="the room was changed meanwhile")
        room.ics_next_sync = now() + timedelta(seconds=room.ics_fetch_interval)
        room.ics_problem = problem
        if problem is not None:
            return ICSSyncResult(
                status=SyncStatus.ERROR, error=" ".join(filled(*part) for part in problem)
            )
        room.ics_last_sync = moment
        if events is None:
            return ICSSyncResult(status=SyncStatus.UNCHANGED, hash=found)
        room.ics_last_etag, room.ics_expanded_at = found, moment
        own = (
            events
            if is_own
            else [e for e in events if is_for(e, services.settings.UI_BASE_URL, name)]
        )
        result = _keep(session, room_id, own, since, until)
        result.hash, result.total_events = found, len(events)
        return result


def is_for(event: dict[str, Any], base_url: str, room: str) -> bool:
    """Return whether an event names the address of the room, however that is written."""
    address = re.escape(f"{base_url.rstrip('/')}/")
    text = " ".join(str(event[field]) for field in ("location", "description", "url"))
    names = (
        unquote(each) for each in re.findall(rf"{address}([^\s\"'<>?#/]+)", text, re.IGNORECASE)
    )
    wanted = {room.lower(), quote(room).lower()}
    return any(each.rstrip(".,;:)]").lower() in wanted for each in names)


def _keep(
    session: Session,
    room_id: str,
    events: Iterable[dict[str, Any]],
    since: datetime,
    until: datetime,
) -> ICSSyncResult:
    """Store these events, and mark what is not among them as deleted. The past stays."""
    result, moment = ICSSyncResult(status=SyncStatus.SUCCESS), now()
    rows = session.scalars(select(CalendarEvent).where(CalendarEvent.room_id == room_id))
    known = {row.ics_uid: row for row in rows}
    seen = set()
    for event in events:
        seen.add(event["uid"])
        fields = {
            "title": event["title"], "description": event["description"], "location": event["location"],
            "start_time": datetime.fromisoformat(event["start"]), "end_time": datetime.fromisoformat(event["end"]),
            "attendees": event["attendees"], "is_deleted": False,
        }  # fmt: skip
        row = known.get(event["uid"])
        if row is None:
            row = known[event["uid"]] = CalendarEvent(
                room_id=room_id, ics_uid=event["uid"], **fields
            )
            session.add(row)
            result.events_created += 1
        elif any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            result.events_updated += 1
        row.last_synced = moment
    result.events_found = len(seen)
    for uid, row in known.items():
        if uid not in seen and not row.is_deleted and moment < row.start_time <= until:
            row.is_deleted = True
            result.events_deleted += 1
    return result
