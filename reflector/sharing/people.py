"""Share a transcript with people who have an account on this server."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts import users
from reflector.db.counts import count
from reflector.db.models import ShareLevel, Transcript, TranscriptShare, User
from reflector.errors import InvalidInput

MOST_PEOPLE = 200


def shared_with(session: Session, transcript_id: str) -> list[tuple[User, ShareLevel]]:
    """Return the people that a transcript is shared with, by e-mail address."""
    rows = session.execute(
        select(User, TranscriptShare.level)
        .join(TranscriptShare, TranscriptShare.user_id == User.id)
        .where(TranscriptShare.transcript_id == transcript_id)
        .order_by(User.email)
    )
    return [(user, ShareLevel(level)) for user, level in rows]


def share(session: Session, transcript: Transcript, email: str, level: ShareLevel) -> User:
    """Share `transcript` with the account of this address, or change how it is shared.

    Raises InvalidInput if there is no such account, or several, if it is the owner's, or if there are
    MOST_PEOPLE already.
    """
    address = users.same_email(email)
    found = session.scalars(
        select(User).where(User.email == address, User.disabled_at.is_(None)).limit(2)
    ).all()
    if len(found) > 1:
        raise InvalidInput(
            "Several accounts have the address {address}.",
            "Ask an administrator to remove those that nobody uses.",
            address=address,
        )
    user = found[0] if found else None
    if user is None:
        raise InvalidInput(
            "Nobody has an account here with the address {address}.",
            "Ask an administrator for one, or send a link.",
            address=address,
        )
    if user.id == transcript.user_id:
        raise InvalidInput("This recording is yours already.")
    known = session.get(TranscriptShare, (transcript.id, user.id))
    if known is not None:
        known.level = level
    elif count(session, TranscriptShare.transcript_id == transcript.id) >= MOST_PEOPLE:
        raise InvalidInput("It is shared with {most} people already.", most=MOST_PEOPLE)
    else:
        session.add(TranscriptShare(transcript_id=transcript.id, user_id=user.id, level=level))
    return user


def unshare(session: Session, transcript_id: str, user_id: str) -> bool:
    """Stop sharing with an account. Return whether it was shared with."""
    share = session.get(TranscriptShare, (transcript_id, user_id))
    if share is not None:
        session.delete(share)
    return share is not None
