"""Create and open links that let anybody who has them read a transcript."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reflector.accounts.login import begin_attempt, note_login
from reflector.accounts.passwords import verify_password
from reflector.accounts.visits import is_open
from reflector.db.counts import count
from reflector.db.engine import Database
from reflector.db.models import ShareLink, Transcript, now
from reflector.errors import N_, InvalidInput, NotFound, Unauthenticated
from reflector.sharing.schemas import CreateShareLink

MOST_LINKS = 50
TOKEN_BYTES = 24
NOTED_EVERY = timedelta(minutes=1)
CLOSED = N_("This link has expired or was taken back. Ask the person who sent it for a new one.")
WRONG_PASSWORD = N_("That is not the password of this link.")
TOO_MANY = N_("Too many wrong passwords. Try again later.")


def links_of(session: Session, transcript_id: str) -> list[ShareLink]:
    """Return the links of a transcript, the newest first; also those that have expired."""
    return list(
        session.scalars(
            select(ShareLink)
            .where(ShareLink.transcript_id == transcript_id)
            .order_by(ShareLink.created_at.desc(), ShareLink.id)
        )
    )


def create(
    session: Session, transcript_id: str, wanted: CreateShareLink, password_hash: str | None
) -> ShareLink:
    """Create a link. Raises InvalidInput if there are MOST_LINKS already."""
    if count(session, ShareLink.transcript_id == transcript_id) >= MOST_LINKS:
        raise InvalidInput("There are {most} links already. Remove one first.", most=MOST_LINKS)
    moment, days = now(), wanted.expires_in_days
    link = ShareLink(
        transcript_id=transcript_id,
        token=secrets.token_urlsafe(TOKEN_BYTES),
        with_sound=wanted.with_sound,
        password_hash=password_hash,
        created_at=moment,
        expires_at=moment + timedelta(days=days) if days else None,
    )
    session.add(link)
    session.flush()
    return link


def get(session: Session, transcript_id: str, link_id: str) -> ShareLink:
    link = session.get(ShareLink, link_id)
    if link is None or link.transcript_id != transcript_id:
        raise NotFound("There is no such link. It may have been removed meanwhile.")
    return link


def find(db: Database, token: str) -> ShareLink:
    """Return the open link with this token. Raises NotFound if there is none."""
    with db.read() as session:
        link = session.scalars(
            select(ShareLink)
            .join(Transcript, Transcript.id == ShareLink.transcript_id)
            .where(ShareLink.token == token, is_open(), Transcript.deleted_at.is_(None))
        ).first()
    if link is None:
        raise NotFound(CLOSED)
    return link


def check_password(db: Database, link: ShareLink, password: str, address: str) -> None:
    """Raise Unauthenticated if `password` is wrong, and Busy after too many wrong ones."""
    if link.password_hash is None:
        return
    name = f"link:{link.id}"
    limiter = begin_attempt(db, name, address, TOO_MANY)
    if not verify_password(password, link.password_hash):
        note_login(name, address, "refused")
        raise Unauthenticated(WRONG_PASSWORD)
    limiter.succeeded(name, address)
    note_login(name, address, "succeeded")


def note_opened(db: Database, link: ShareLink) -> None:
    """Note the time, at most once a minute: who has the link should not write rows at will."""
    moment = now()
    if link.last_opened_at is not None and link.last_opened_at > moment - NOTED_EVERY:
        return
    with db.write() as session:
        session.execute(
            update(ShareLink).where(ShareLink.id == link.id).values(last_opened_at=moment)
        )
