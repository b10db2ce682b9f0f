"""What a caller may do with a transcript: decided here and nowhere else.

| transcript     | anonymous | any account | owner |
|----------------|-----------|-------------|-------|
| of nobody      | read      | read, change | –    |
| private        | –         | –           | read, change |
| semi-private   | –         | read        | read, change |
| public         | read      | read        | read, change |

Without accounts (`AUTH_BACKEND=none`) whoever reaches the server may also change what is of
nobody; with accounts an anonymous caller may do so only where `PUBLIC_MODE` opens a route.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from reflector.db.models import Room, ShareMode, Transcript
from reflector.errors import Forbidden, NotFound, Unauthenticated

NOT_FOUND = "Transcript not found"
NO_READ = "Transcript access denied"
NO_CHANGE = "Not authorized"
NO_VOICE = "Authentication required"


class RouteAccess(Enum):
    """Who is let in at a route at all."""

    ANY = auto()
    PUBLIC = auto()
    """Accounts; anonymous callers with PUBLIC_MODE."""
    USER = auto()


class Right(Enum):
    READ = auto()
    CHANGE = auto()


@dataclass(frozen=True)
class Caller:
    """Somebody with an account, or anonymous: `user_id` None."""

    user_id: str | None = None
    email: str | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None


ANONYMOUS = Caller()


@dataclass(frozen=True)
class Policy:
    """`has_accounts` is false with AUTH_BACKEND=none."""

    has_accounts: bool
    public_mode: bool

    def admit(self, caller: Caller, access: RouteAccess) -> None:
        """Raise Unauthenticated if the route is not for anonymous callers."""
        if not caller.is_anonymous or access is RouteAccess.ANY or not self.has_accounts:
            return
        if access is RouteAccess.USER or not self.public_mode:
            raise Unauthenticated("Not authenticated")


def may_read(caller: Caller, transcript: Transcript) -> bool:
    if transcript.user_id is None or transcript.share_mode == ShareMode.PUBLIC:
        return True
    if caller.is_anonymous:
        return False
    return transcript.user_id == caller.user_id or transcript.share_mode == ShareMode.SEMI_PRIVATE


def may_change(caller: Caller, transcript: Transcript) -> bool:
    return transcript.user_id is None or transcript.user_id == caller.user_id


@dataclass(frozen=True)
class Rights:
    """What a page offers for a transcript."""

    change: bool
    hear: bool
    process: bool
    share: bool


def rights_of(caller: Caller, transcript: Transcript, policy: Policy) -> Rights:
    """Return what `caller` may do with a transcript that they may read."""
    is_stranger = caller.is_anonymous and policy.has_accounts
    may = may_change(caller, transcript)
    return Rights(
        change=may and not is_stranger,
        hear=not is_stranger or transcript.user_id is None,
        process=may and (not is_stranger or policy.public_mode),
        share=may and transcript.user_id is not None,
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
    """Return the transcript, if `caller` has `right` to it; NotFound or Forbidden otherwise.

    `or_in_trash` finds it there too. `lock` is for who is going to write: on PostgreSQL writers of
    one transcript take turns, so its events are committed in the order of their numbers.
    """
    transcript = _existing(session, transcript_id, or_in_trash=or_in_trash, lock=lock)
    if not or_in_trash and not may_read(caller, transcript):
        raise Forbidden(NO_READ)
    if right is Right.CHANGE and not may_change(caller, transcript):
        raise Forbidden(NO_CHANGE)
    return transcript


def get_audible_transcript(
    session: Session, caller: Caller, transcript_id: str, policy: Policy, *, linked: bool
) -> Transcript:
    """Return the transcript, if `caller` may hear it: by the rule for reading, or `linked`, with a
    link.

    An anonymous caller hears what belongs to nobody. For the rest, also where its text is public,
    a voice is only for people with an account or with a link; Unauthenticated otherwise.
    """
    if not linked and not (caller.is_anonymous and policy.has_accounts):
        return get_authorized_transcript(session, caller, transcript_id)
    transcript = _existing(session, transcript_id)
    if not linked and transcript.user_id is not None:
        raise Unauthenticated(NO_VOICE)
    return transcript


def _existing(
    session: Session, transcript_id: str, *, or_in_trash: bool = False, lock: bool = False
) -> Transcript:
    transcript = session.get(Transcript, transcript_id, with_for_update=lock or None)
    if transcript is None or (transcript.deleted_at is not None and not or_in_trash):
        raise NotFound(NOT_FOUND)
    return transcript


def listed(caller: Caller) -> ColumnElement[bool]:
    """Return the transcripts that lists and search show: one's own and those of shared rooms.

    A shared room does not show what its owner made private: nobody else could open it. Anonymous
    callers see what is public or of nobody.
    """
    return or_(*listed_parts(caller))


def listed_parts(caller: Caller) -> list[ColumnElement[bool]]:
    """`listed` in parts of which no transcript is in two."""
    if caller.is_anonymous:
        public = and_(Transcript.user_id.is_not(None), Transcript.share_mode == ShareMode.PUBLIC)
        return [Transcript.user_id.is_(None), public]
    shared_rooms = select(Room.id).where(Room.is_shared)
    of_shared_rooms = and_(
        Transcript.room_id.in_(shared_rooms),
        or_(
            Transcript.user_id.is_(None),
            and_(Transcript.user_id != caller.user_id, Transcript.share_mode != ShareMode.PRIVATE),
        ),
    )
    return [Transcript.user_id == caller.user_id, of_shared_rooms]


def trash_of(caller: Caller) -> ColumnElement[bool]:
    """Return what the caller deleted; without accounts that is what belongs to nobody."""
    if caller.is_anonymous:
        return Transcript.user_id.is_(None)
    return Transcript.user_id == caller.user_id
