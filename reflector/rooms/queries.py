"""Read and change rooms. Callers check the rights before (`rooms/access.py`)."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reflector.accounts.access import NOBODY, Caller, Policy
from reflector.db.counts import count
from reflector.db.models import CalendarEvent, Room
from reflector.errors import N_, InvalidInput
from reflector.rooms.access import may_change
from reflector.webhooks import targets

NOT_UNIQUE = N_("Room name is not unique")
MOST_ROOMS = 500
SECRETS = {"webhook_url", "webhook_secret", "ics_url", "ics_last_etag", "email_transcript_to"}
# Columns in which an empty text is none
EMPTY_IS_NONE = {"ics_url", "email_transcript_to"}


def fields_for(caller: Caller, room: Room, policy: Policy) -> dict[str, Any]:
    """Return the columns of the room, with None for what `caller` must not see."""
    concealed = set() if may_change(caller, room, policy) else SECRETS
    columns = {column.key for column in Room.__table__.columns}
    fields = {name: None if name in concealed else getattr(room, name) for name in columns}
    return {
        **fields,
        "zulip_stream": room.zulip_stream or "",
        "zulip_topic": room.zulip_topic or "",
    }


def create(session: Session, caller: Caller, fields: dict[str, Any]) -> Room:
    """Create a room. Raises InvalidInput if its name is taken or the caller has MOST_ROOMS."""
    owner = caller.user_id or NOBODY
    if count(session, Room.user_id == owner) >= MOST_ROOMS:
        raise InvalidInput("There are {most} rooms already. Remove one first.", most=MOST_ROOMS)
    room = Room(user_id=owner)
    session.add(room)
    update(session, room, fields)
    return room


def update(session: Session, room: Room, fields: dict[str, Any]) -> None:
    """Change these columns. None empties those that may be empty, and leaves others as they are.

    Raises InvalidInput if the name is taken.
    """
    with session.no_autoflush:
        if (name := fields.get("name")) is not None:
            _check_name(session, room, name)
    source, url = room.calendar_source, room.ics_url
    for name in fields.keys() - {"webhook_url", "webhook_secret"}:
        if name in EMPTY_IS_NONE:
            setattr(room, name, fields[name] or None)
        elif fields[name] is not None:
            setattr(room, name, fields[name])
    try:
        session.flush()
    except IntegrityError as error:  # somebody else took the name between
        raise InvalidInput(NOT_UNIQUE) from error
    if room.calendar_source != source:
        _read_calendar_anew(session, room, has_moved=room.ics_url != url)
    _set_webhook(
        session, room, fields.get("webhook_url", room.webhook_url), fields.get("webhook_secret")
    )
    session.flush()


def _read_calendar_anew(session: Session, room: Room, *, has_moved: bool) -> None:
    """Have the calendar read soon. Events of another address are none of this one."""
    room.ics_next_sync = room.ics_expanded_at = room.ics_problem = None
    if has_moved:
        room.ics_last_etag = room.ics_last_sync = None
        session.execute(delete(CalendarEvent).where(CalendarEvent.room_id == room.id))


def _set_webhook(session: Session, room: Room, url: str | None, secret: str | None) -> None:
    """Tell this address about the room; none if it is empty. An empty secret is left as it is."""
    if not url:
        targets.remove(session, room)
        return
    targets.set_url(session, room, url)
    if not room.webhook_secret or (secret and secret != room.webhook_secret):
        targets.rotate(room, secret)


def has_name(name: str) -> ColumnElement[bool]:
    """Return the condition for the room of this name, in any case of letters.

    SQLite knows the cases of ASCII letters only.
    """
    return func.lower(Room.name) == func.lower(unicodedata.normalize("NFC", name))


def _check_name(session: Session, room: Room, name: str) -> None:
    """Raise InvalidInput if another room has this name, in any case of letters."""
    if set(session.scalars(select(Room.id).where(has_name(name)))) - {room.id}:
        raise InvalidInput(NOT_UNIQUE)
