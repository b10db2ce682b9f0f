"""Decide what a caller may do with a room. No other module decides this.

| room              | anonymous       | any account     | owner  |
|-------------------|-----------------|-----------------|--------|
| without owner     | see             | see, use, change | – |
| not shared        | see by its name | see by its name | see, use, change |
| shared            | see             | see, use        | see, use, change |

To use a room is to put recordings in it. Who knows the name of a room may see it: that is how
people join. Its secrets are for those who may change it. Without accounts every room has no owner,
and whoever reaches the server may change it.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from reflector.accounts.access import NOBODY, Caller, Policy, owns
from reflector.db.models import Room
from reflector.errors import N_, Forbidden, NotFound

NOT_FOUND = N_("Room not found")
NO_ACCESS = N_("Room access denied")
NO_CHANGE = N_("Not authorized")
NO_TEST = N_("Not authorized to test this room's webhook")


def may_change(caller: Caller, room: Room, policy: Policy) -> bool:
    return owns(caller, room.user_id, policy)


def may_see(caller: Caller, room: Room) -> bool:
    return room.is_shared or room.user_id in {NOBODY, caller.user_id}


def listed(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for the rooms that lists show to `caller`."""
    return or_(Room.is_shared, Room.user_id == NOBODY, Room.user_id == caller.user_id)


def get(session: Session, room_id: str, *, lock: bool = False) -> Room:
    """Return the room. Raises NotFound if there is none."""
    room = session.get(Room, room_id, with_for_update=lock or None)
    if room is None:
        raise NotFound(NOT_FOUND)
    return room


def get_by_name(session: Session, name: str) -> Room:
    """Return the room of this name. Raises NotFound if there is none."""
    room = session.scalars(select(Room).where(Room.name == name)).first()
    if room is None:
        raise NotFound(NOT_FOUND)
    return room


def get_seen(session: Session, caller: Caller, room_id: str) -> Room:
    """Return the room. Raises Forbidden if the caller neither owns it nor shares it."""
    room = get(session, room_id)
    if not may_see(caller, room):
        raise Forbidden(NO_ACCESS)
    return room


def get_used(session: Session, caller: Caller, room_id: str) -> Room:
    """Return the room to put a recording in it. Raises Forbidden if the caller may not.

    An anonymous caller of a server with accounts uses rooms without an owner only: what they
    record has no owner either, and everybody may change it.
    """
    room = get_seen(session, caller, room_id)
    if caller.is_anonymous and room.user_id != NOBODY:
        raise Forbidden(NO_ACCESS)
    return room


def get_own(
    session: Session, caller: Caller, room_id: str, policy: Policy, refusal: str = NO_CHANGE
) -> Room:
    """Return the room to change it. Raises Forbidden with `refusal` if the caller may not."""
    room = get(session, room_id, lock=True)
    if not may_change(caller, room, policy):
        raise Forbidden(refusal)
    return room
