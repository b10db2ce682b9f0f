"""Find what the links that a browser has opened let it read.

The browser keeps the ids of the links in a signed cookie. Each request looks them up again, so a
link that was removed or has expired opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.accounts.tokens import InvalidToken, Signer
from reflector.db.models import ShareLink, now

# Links that one browser keeps open; with more, the oldest has to be opened again
MOST_OPEN = 20


def link_ids(signer: Signer, cookie: str | None) -> list[str]:
    """Return the links in the cookie, the last opened first; none if it is not valid."""
    try:
        return signer.read_visit(cookie) if cookie else []
    except InvalidToken:
        return []


def with_link(signer: Signer, cookie: str | None, link_id: str) -> str:
    """Return the cookie with one more link."""
    others = [each for each in link_ids(signer, cookie) if each != link_id]
    return signer.visit([link_id, *others][:MOST_OPEN])


def opened(session: Session, ids: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the transcripts that these links let one read, and those they let one hear."""
    query = select(ShareLink.transcript_id, ShareLink.with_sound)
    rows = session.execute(query.where(ShareLink.id.in_(ids), is_open())).all()
    readable = frozenset(row.transcript_id for row in rows)
    return readable, frozenset(row.transcript_id for row in rows if row.with_sound)


def visitor(link: ShareLink) -> Caller:
    """Return the caller that somebody without an account is who opens this link."""
    transcripts = frozenset({link.transcript_id})
    return Caller(readable=transcripts, audible=transcripts if link.with_sound else frozenset())


def is_open() -> ColumnElement[bool]:
    """Return the condition that a link has not expired."""
    return or_(ShareLink.expires_at.is_(None), ShareLink.expires_at > now())
