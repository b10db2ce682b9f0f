"""Keep the events of rooms as their calendars have them."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from reflector.calendars.expand import FAILED, expanded
from reflector.calendars.fetch import fetch
from reflector.calendars.schemas import ICSSyncResult, SyncStatus
from reflector.db.engine import is_disconnect
from reflector.db.models import CalendarEvent, Room, now
from reflector.errors import N_, Busy, Part, ReflectorError, sentence
from reflector.outgoing.turns import one_at_a_time
from reflector.services import Services

log = logging.getLogger(__name__)

PAST = timedelta(hours=24)
AHEAD = timedelta(days=14)
# The same feed has other events once time has passed
EXPAND_AGAIN = timedelta(hours=6)
# Longer than fetching and expanding take
CLAIM = timedelta(minutes=5)
# After a failure
REST = timedelta(minutes=15)
KEPT = timedelta(days=30)
TURN_SECONDS = 60.0
BATCH = 50
AT_ONCE = 2
NOT_CONFIGURED = N_("ICS not configured for this room")
CHANGED = "the room was changed meanwhile"
BUSY = N_("Other calendars are being read just now. Try again in a minute.")

# Each is a process with a limit of memory
_places = threading.BoundedSemaphore(AT_ONCE)


@one_at_a_time
def execute(services: Services) -> int:
    """Synchronise the calendars that are due. Return how many there were."""
    wanted = select(Room.id).where(Room.ics_enabled, Room.ics_url.is_not(None), _is_due(now()))
    order = Room.ics_next_sync.nulls_first()
    with services.db.read() as session:
        due = session.scalars(wanted.order_by(order).limit(BATCH)).all()
    until = time.monotonic() + TURN_SECONDS

    def work(room_id: str) -> bool:
        if time.monotonic() > until or not _claim(services, room_id):
            return False
        synchronise(services, room_id, waits=True)
        return True

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calendars") as pool:
        return sum(pool.map(work, due))


def _is_due(moment: datetime) -> ColumnElement[bool]:
    return or_(Room.ics_next_sync.is_(None), Room.ics_next_sync <= moment)


def _claim(services: Services, room_id: str) -> bool:
    """Return whether this process is to do it: no two workers do."""
    moment = now()
    with services.db.write() as session:
        claimed = session.scalar(
            update(Room)
            .where(Room.id == room_id, _is_due(moment))
            .values(ics_next_sync=moment + CLAIM)
            .returning(Room.id)
            .execution_options(synchronize_session=False)
        )
    return claimed is not None


def synchronise(services: Services, room_id: str, *, waits: bool = False) -> ICSSyncResult:
    """Fetch the calendar of a room, and keep its events. What failed leaves them as they are.

    Raises Busy if so many are being read already, and `waits` is not set.
    """
    if not _places.acquire(blocking=waits):
        raise Busy(BUSY)
    try:
        return _synchronise(services, room_id)
    finally:
        _places.release()


def _synchronise(services: Services, room_id: str) -> ICSSyncResult:
    with services.db.read() as session:
        room = session.get(Room, room_id)
        if room is None or not room.ics_url or not room.ics_enabled:
            return ICSSyncResult(status=SyncStatus.SKIPPED, reason=NOT_CONFIGURED)
        url, known, expanded_at = room.ics_url, room.ics_last_etag, room.ics_expanded_at
        before = room.calendar_source
        # Of a room around a table the calendar is the room's own
        is_own = room.platform == "in-person"
        address = None if is_own else services.settings.page_url(room.name)
    moment = now()
    since, until = moment - PAST, moment + AHEAD
    problem: list[Part] | None = None
    try:
        feed = fetch(services.allowed_addresses, url)
        digest = hashlib.sha256(feed).hexdigest()
        is_fresh = expanded_at is not None and moment - expanded_at < EXPAND_AGAIN
        found = None if digest == known and is_fresh else expanded(feed, since, until, address)
    except ReflectorError as error:
        problem = error.parts
    except Exception as error:
        if is_disconnect(error):
            raise
        log.exception("the calendar of the room %s failed", room_id)
        problem = [(FAILED, {})]
    with services.db.write() as session:
        room = session.get(Room, room_id, with_for_update=True)
        if room is None or room.calendar_source != before:
            return ICSSyncResult(status=SyncStatus.SKIPPED, reason=CHANGED)
        pause = timedelta(seconds=room.ics_fetch_interval)
        room.ics_next_sync = now() + (max(pause, REST) if problem else pause)
        room.ics_problem = problem
        if problem is not None:
            return ICSSyncResult(status=SyncStatus.ERROR, error=sentence(problem))
        room.ics_last_sync = moment
        if found is None:
            return ICSSyncResult(status=SyncStatus.UNCHANGED, hash=digest)
        room.ics_last_etag, room.ics_expanded_at = digest, moment
        total, events = found
        result = _keep(session, room_id, events, until)
        result.hash, result.total_events = digest, total
        return result


def remove_old(services: Services) -> None:
    """Remove events that are long over, with what they say of people."""
    with services.db.write() as session:
        session.execute(delete(CalendarEvent).where(CalendarEvent.end_time < now() - KEPT))


def _keep(
    session: Session, room_id: str, events: Iterable[dict[str, Any]], until: datetime
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
        is_over = row.end_time <= moment or row.start_time > until
        if uid not in seen and not row.is_deleted and not is_over:
            row.is_deleted = True
            result.events_deleted += 1
    return result
