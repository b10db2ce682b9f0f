"""Read and change the tags of a person. Nobody sees those of somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.db.counts import count
from reflector.db.models import Tag, Transcript, TranscriptTag
from reflector.errors import InvalidInput, NotFound

MOST_TAGS = 500


def own(caller: Caller) -> ColumnElement[bool]:
    """Return the condition for the caller's tags."""
    return Tag.user_id == caller.user_id


def tags_of(session: Session, caller: Caller) -> list[tuple[Tag, int]]:
    """Return the caller's tags by name, each with the number of its recordings."""
    used = (
        select(TranscriptTag.tag_id, func.count().label("count"))
        .join(Transcript, Transcript.id == TranscriptTag.transcript_id)
        .where(Transcript.deleted_at.is_(None))
        .group_by(TranscriptTag.tag_id)
        .subquery()
    )
    rows = session.execute(
        select(Tag, func.coalesce(used.c.count, 0))
        .outerjoin(used, used.c.tag_id == Tag.id)
        .where(own(caller))
        .order_by(func.lower(Tag.name), Tag.id)
    )
    return [(tag, count) for tag, count in rows]


def get(session: Session, caller: Caller, tag_id: str) -> Tag:
    """Return a tag of the caller. Raises NotFound for any other."""
    tag = session.scalars(select(Tag).where(Tag.id == tag_id, own(caller))).first()
    if tag is None:
        raise NotFound("There is no such tag")
    return tag


def check_name(session: Session, caller: Caller, name: str, except_id: str | None = None) -> None:
    """Raise InvalidInput if the caller has another tag of this name, in any case of letters."""
    same = select(Tag.id).where(own(caller), func.lower(Tag.name) == name.lower())
    if set(session.scalars(same)) - {except_id}:
        raise InvalidInput("You have a tag “{name}” already.", name=name)


def create(session: Session, caller: Caller, **fields: Any) -> Tag:
    """Create a tag of these columns.

    Raises InvalidInput if the name is taken, or if there are MOST_TAGS.
    """
    check_name(session, caller, fields["name"])
    if count(session, own(caller)) >= MOST_TAGS:
        raise InvalidInput("There are {most} tags already. Remove one first.", most=MOST_TAGS)
    tag = Tag(user_id=caller.user_id, **fields)
    session.add(tag)
    session.flush()
    return tag


def of_transcripts(
    session: Session, caller: Caller, transcript_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Return the ids of the caller's tags for each transcript that has some."""
    rows = session.execute(
        select(TranscriptTag.transcript_id, TranscriptTag.tag_id)
        .join(Tag, Tag.id == TranscriptTag.tag_id)
        .where(own(caller), TranscriptTag.transcript_id.in_(transcript_ids))
        .order_by(func.lower(Tag.name))
    )
    found: dict[str, list[str]] = {}
    for transcript_id, tag_id in rows:
        found.setdefault(transcript_id, []).append(tag_id)
    return found


def has_tag(caller: Caller, tag_id: str) -> ColumnElement[bool]:
    """Return the condition that a transcript has this tag of the caller."""
    tagged = select(TranscriptTag.transcript_id).join(Tag, Tag.id == TranscriptTag.tag_id)
    return Transcript.id.in_(tagged.where(own(caller), Tag.id == tag_id))
