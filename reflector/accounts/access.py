"""Decide what a caller may do with a transcript. No other module decides this.

| transcript     | anonymous | any account  | owner   |
|----------------|-----------|--------------|---------|
| without owner  | read      | read, change, manage | – |
| private        | –         | –            | read, change, manage |
| semi-private   | –         | read         | read, change, manage |
| public         | read      | read         | read, change, manage |

An owner may share a transcript with an account, to read it or to change it, too. A link opens it
for reading to anybody. To manage is what only the owner does: share, process again, delete.

Without accounts (`AUTH_BACKEND=none`), anyone who reaches the server may also change transcripts
without an owner. With accounts, an anonymous caller may do so only on routes that `PUBLIC_MODE`
opens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from reflector.db.models import Room, ShareLevel, ShareMode, Transcript, TranscriptShare
from reflector.errors import N_, Forbidden, NotFound, Unauthenticated

NOT_FOUND = N_("Transcript not found")
NO_READ = N_("Transcript access denied")
NO_CHANGE = N_("Not authorized")
NO_VOICE = N_("Authentication required")


class RouteAccess(Enum):
    """Which callers a route admits."""

    ANY = auto()
    PUBLIC = auto()
    """Admits accounts, and anonymous callers if PUBLIC_MODE is set."""
    USER = auto()


class Right(Enum):
    READ = auto()
    CHANGE = auto()
    MANAGE = auto()


@dataclass(frozen=True)
class Caller:
    """A caller with an account, or an anonymous one (`user_id` is None).

    `readable` and `audible` are the transcripts that links opened for this caller (`visits.py`).
    Who `must_change_password` may do nothing else.
    """

    user_id: str | None = None
    email: str | None = None
    readable: frozenset[str] = frozenset()
    audible: frozenset[str] = frozenset()
    must_change_password: bool = False

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None


ANONYMOUS = Caller()


@dataclass(frozen=True)
class Policy:
    """Which callers the routes admit. `has_accounts` is False with AUTH_BACKEND=none."""

    has_accounts: bool
    public_mode: bool

    def admit(self, caller: Caller, access: RouteAccess) -> None:
        """Raise Unauthenticated if the route does not admit anonymous callers."""
        if not caller.is_anonymous or access is RouteAccess.ANY or not self.has_accounts:
            return
        if access is RouteAccess.USER or not self.public_mode:
            raise Unauthenticated("Not authenticated")


NOBODY = ""
"""The owner of rooms and webhooks that were made without accounts: their column takes no null."""


def owns(caller: Caller, owner: str, policy: Policy) -> bool:
    """Return whether `caller` may change what belongs to the account `owner`, or to NOBODY."""
    if owner == NOBODY:
        return not (caller.is_anonymous and policy.has_accounts)
    return owner == caller.user_id


def may_read(caller: Caller, transcript: Transcript) -> bool:
    if transcript.user_id is None or transcript.share_mode == ShareMode.PUBLIC:
        return True
    if transcript.id in caller.readable:
        return True
    if caller.is_anonymous:
        return False
    if transcript.user_id == caller.user_id or transcript.share_mode == ShareMode.SEMI_PRIVATE:
        return True
    return level_of(caller, transcript) is not None


def may_room_read(room: Room, transcript: Transcript) -> bool:
    """Return whether the owner of the room may read what was recorded in it.

    Others record in shared rooms, too, and may have made a transcript private.
    """
    is_own = (transcript.user_id or NOBODY) == room.user_id
    is_open = transcript.user_id is None or transcript.share_mode != ShareMode.PRIVATE
    return is_own or (transcript.room_id == room.id and is_open)


def may_change(caller: Caller, transcript: Transcript) -> bool:
    return may_manage(caller, transcript) or level_of(caller, transcript) is ShareLevel.EDIT


def may_manage(caller: Caller, transcript: Transcript) -> bool:
    return transcript.user_id is None or transcript.user_id == caller.user_id


def may_hear(caller: Caller, transcript: Transcript, policy: Policy) -> bool:
    """Return whether `caller` may listen to the audio.

    Even if the text is public, a voice needs an account, or a link with sound.
    """
    if transcript.user_id is None or transcript.id in caller.audible:
        return True
    if caller.is_anonymous and policy.has_accounts:
        return False
    return may_read(replace(caller, readable=frozenset()), transcript)


def level_of(caller: Caller, transcript: Transcript) -> ShareLevel | None:
    """Return how the transcript's owner shares it with this account; None if they do not."""
    if caller.is_anonymous:
        return None
    levels = [share.level for share in transcript.shares if share.user_id == caller.user_id]
    return ShareLevel(levels[0]) if levels else None


@dataclass(frozen=True)
class Rights:
    """What a page offers for a transcript."""

    change: bool
    hear: bool
    process: bool
    manage: bool
    share: bool
    leave: bool


def rights_of(caller: Caller, transcript: Transcript, policy: Policy) -> Rights:
    """Return what `caller` may do with a transcript that they may read."""
    is_stranger = caller.is_anonymous and policy.has_accounts
    manage = may_manage(caller, transcript)
    return Rights(
        change=may_change(caller, transcript) and not is_stranger,
        hear=may_hear(caller, transcript, policy),
        process=manage and (not is_stranger or policy.public_mode),
        manage=manage and not is_stranger,
        share=manage and transcript.user_id is not None,
        leave=not manage and level_of(caller, transcript) is not None,
    )


def get_authorized_transcript(
    session: Session,
    caller: Caller,
    transcript_id: str,
    right: Right = Right.READ,
    *,
    or_in_trash: bool = False,
    lock: bool = False,
) -> Transcript:
    """Return the transcript if `caller` has `right` to it.

    Raises NotFound if it does not exist, and Forbidden if the caller lacks the right. `or_in_trash`
    also finds a transcript in the trash. Set `lock` before writing: on PostgreSQL it makes writers
    of one transcript wait for each other, so events are committed in the order of their numbers.
    """
    transcript = _existing(session, transcript_id, or_in_trash=or_in_trash, lock=lock)
    if not or_in_trash and not may_read(caller, transcript):
        raise Forbidden(NO_READ)
    if right is Right.CHANGE and not may_change(caller, transcript):
        raise Forbidden(NO_CHANGE)
    if right is Right.MANAGE and not may_manage(caller, transcript):
        raise Forbidden(NO_CHANGE)
    return transcript


def get_audible_transcript(
    session: Session, caller: Caller, transcript_id: str, policy: Policy
) -> Transcript:
    """Return the transcript if `caller` may listen to its audio.

    Raises Unauthenticated if an account could help, otherwise Forbidden.
    """
    transcript = _existing(session, transcript_id)
    if may_hear(caller, transcript, policy):
        return transcript
    if caller.is_anonymous and policy.has_accounts:
        raise Unauthenticated(NO_VOICE)
    raise Forbidden(NO_READ)


def _existing(
    session: Session, transcript_id: str, *, or_in_trash: bool = False, lock: bool = False
) -> Transcript:
    transcript = session.get(Transcript, transcript_id, with_for_update=lock or None)
    if transcript is None or (transcript.deleted_at is not None and not or_in_trash):
        raise NotFound(NOT_FOUND)
    return transcript


def listed(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for transcripts that lists and search show to `caller`.

    These are their own, those shared with them, and those of shared rooms. A shared room does not
    list the private transcripts of others, because only their owner could open them. Anonymous
    callers see transcripts that are public or have no owner.
    """
    return or_(*listed_parts(caller))


def listed_parts(caller: Caller) -> list[ColumnElement[bool]]:
    """Return the condition of `listed` as disjoint parts: no transcript matches two of them."""
    if caller.is_anonymous:
        public = and_(Transcript.user_id.is_not(None), Transcript.share_mode == ShareMode.PUBLIC)
        return [Transcript.user_id.is_(None), public]
    shared = select(TranscriptShare.transcript_id).where(TranscriptShare.user_id == caller.user_id)
    of_others = and_(Transcript.id.in_(shared), Transcript.user_id != caller.user_id)
    shared_rooms = select(Room.id).where(Room.is_shared)
    of_shared_rooms = and_(
        Transcript.room_id.in_(shared_rooms),
        or_(
            Transcript.user_id.is_(None),
            and_(
                Transcript.user_id != caller.user_id,
                Transcript.share_mode != ShareMode.PRIVATE,
                Transcript.id.not_in(shared),
            ),
        ),
    )
    return [Transcript.user_id == caller.user_id, of_others, of_shared_rooms]


def trash_of(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for the caller's trash; anonymous callers see that without an owner."""
    if caller.is_anonymous:
        return Transcript.user_id.is_(None)
    return Transcript.user_id == caller.user_id
