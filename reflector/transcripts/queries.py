"""Read transcripts and what belongs to them, for routes, pages and commands.

Callers check the right to read before (`accounts/access.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, listed, listed_parts
from reflector.db import paging
from reflector.db.models import (
    Event,
    Meeting,
    Participant,
    Room,
    Status,
    Step,
    StepState,
    Topic,
    Transcript,
    User,
)
from reflector.db.words import load_segments, load_words
from reflector.events.names import EventName
from reflector.pipeline.step import StepName
from reflector.transcript import formats
from reflector.transcript.formats import TextFormat
from reflector.transcript.topics import topic_view
from reflector.transcript.words import Word, cues
from reflector.transcripts.exports.document import Document

MINIMAL = [
    "id", "user_id", "name", "status", "locked", "duration", "title", "short_summary",
    "long_summary", "created_at", "share_mode", "source_language", "target_language", "reviewed",
    "meeting_id", "source_kind", "room_id", "audio_deleted", "change_seq",
]  # fmt: skip
DELETED_ROOM = "Deleted Room"
MOST_NAMES = 300
MOST_SAME = 5
# A deleted room is shown differently from no room
ROOM_NAME = case((Transcript.room_id.is_not(None), func.coalesce(Room.name, DELETED_ROOM))).label(
    "room_name"
)
_COLUMNS = [*(getattr(Transcript, name) for name in MINIMAL), ROOM_NAME]


def minimal_query() -> Select[Any]:
    """Return the query for `minimal`: columns instead of objects, because lists are long."""
    return select(*_COLUMNS).outerjoin(Room, Room.id == Transcript.room_id)


def without_strangers(fields: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Return `fields`, without ids and addresses of others unless `caller` is the owner."""
    if fields["user_id"] is None or fields["user_id"] == caller.user_id:
        return fields
    concealed = {**fields, "user_id": None}
    if "participants" in fields:
        concealed["participants"] = [
            person
            if person["user_id"] in {None, caller.user_id}
            else {**person, "user_id": None, "email": None}
            for person in fields["participants"]
        ]
    return concealed


def minimal(row: Row[Any]) -> dict[str, Any]:
    fields = dict(row._mapping)
    fields["created_at"] = iso(fields["created_at"])
    fields["has_cloud_video"] = False
    fields["cloud_video_duration"] = None
    return fields


def iso(moment: datetime) -> str:
    return moment.isoformat()


def one(session: Session, transcript_id: str) -> dict[str, Any]:
    """Return the fields of one transcript as they are in the database now."""
    session.flush()
    query = minimal_query().add_columns(
        Meeting.daily_composed_video_s3_key, Meeting.daily_composed_video_duration
    )
    query = query.outerjoin(Meeting, Meeting.id == Transcript.meeting_id)
    row = session.execute(query.where(Transcript.id == transcript_id)).one()
    fields = minimal(row)
    fields["has_cloud_video"] = fields.pop("daily_composed_video_s3_key") is not None
    fields["cloud_video_duration"] = fields.pop("daily_composed_video_duration")
    return fields


def title_of(transcript: Transcript) -> str:
    """Return what people call the recording, even if it has neither title nor name."""
    return transcript.title or transcript.name or "Recording"


def of_recording(session: Session, caller: Caller, fingerprint: str) -> list[Transcript]:
    """Return the caller's own transcripts of the recording with this fingerprint, newest first."""
    query = select(Transcript).where(
        Transcript.fingerprint == fingerprint,
        Transcript.user_id == caller.user_id,
        listed(caller),
        Transcript.deleted_at.is_(None),
        Transcript.status != Status.IDLE,
    )
    return list(session.scalars(query.order_by(Transcript.created_at.desc()).limit(MOST_SAME)))


def participants_of(session: Session, transcript_id: str) -> list[Participant]:
    return list(
        session.scalars(
            select(Participant)
            .where(Participant.transcript_id == transcript_id)
            .order_by(Participant.position, Participant.id)
        )
    )


def names_of(people: Iterable[Participant]) -> dict[int, str]:
    return {p.speaker: p.name for p in people if p.speaker is not None}


def names_in(session: Session, caller: Caller) -> list[str]:
    """Return the most frequent names of participants in what lists show to `caller`."""
    rows = session.execute(
        select(Participant.name, func.count())
        .join(Transcript, Transcript.id == Participant.transcript_id)
        .where(listed(caller), Transcript.deleted_at.is_(None), Participant.name != "")
        .group_by(Participant.name)
        .order_by(func.count().desc(), Participant.name)
        .limit(MOST_NAMES)
    )
    return [name for name, _ in rows]


def with_participants(session: Session, transcript_id: str) -> dict[str, Any]:
    body = one(session, transcript_id)
    rows = session.execute(
        select(
            Participant.id,
            Participant.speaker,
            Participant.name,
            Participant.user_id,
            User.email,
        )
        .outerjoin(User, User.id == Participant.user_id)
        .where(Participant.transcript_id == transcript_id)
        .order_by(Participant.position, Participant.id)
    )
    return {**body, "participants": [dict(row._mapping) for row in rows]}


def words_of(session: Session, transcript: Transcript) -> list[Word]:
    return load_words(session, transcript.id, transcript.shown_run)


def with_text(session: Session, transcript: Transcript, format: TextFormat) -> dict[str, Any]:
    body = with_participants(session, transcript.id)
    names = {p["speaker"]: p["name"] for p in body["participants"] if p["speaker"] is not None}
    if format is TextFormat.WEBVTT_NAMED:
        parts = cues(words_of(session, transcript))
    else:
        parts = load_segments(session, transcript.id, transcript.shown_run)
    return {
        **body,
        "transcript_format": format.value,
        "transcript": formats.RENDER[format](parts, names),
    }


def topic_rows(session: Session, transcript: Transcript) -> Sequence[Topic]:
    """Return the topics of the run on show, in their order."""
    shown = Topic.transcript_id == transcript.id, Topic.run == transcript.shown_run
    return session.scalars(select(Topic).where(*shown).order_by(Topic.position)).all()


def topics_of(
    session: Session,
    transcript: Transcript,
    *,
    with_words: bool,
    words: Sequence[Word] | None = None,
) -> list[dict[str, Any]]:
    """Return the topics. Pass all `words` of the transcript if they are already loaded."""
    rows = topic_rows(session, transcript)
    if words is None:
        words = words_of(session, transcript) if rows else []
    result = []
    for row in rows:
        part = words[row.first_word : row.last_word]
        view = topic_view(row, part)
        if with_words:
            view["words"] = [word.timed() for word in part]
        result.append(view)
    return result


def document_of(session: Session, transcript: Transcript) -> Document:
    """Return everything of a transcript that exports show."""
    people = participants_of(session, transcript.id)
    words = words_of(session, transcript)
    return Document(
        id=transcript.id,
        title=title_of(transcript),
        created_at=transcript.created_at,
        duration=transcript.duration / 1000,
        language=transcript.source_language,
        target_language=transcript.target_language,
        short_summary=transcript.short_summary,
        long_summary=transcript.long_summary,
        action_items=transcript.action_items or {},
        topics=topics_of(session, transcript, with_words=True, words=words),
        participants=[{"id": p.id, "name": p.name, "speaker": p.speaker} for p in people],
        names=formats.shown_names(names_of(people), words),
        segments=load_segments(session, transcript.id, transcript.shown_run),
        words=words,
    )


def translation_of(session: Session, transcript: Transcript) -> dict[str, Any] | None:
    """Return the output of the step `translate`; None if there is no translation."""
    output = session.scalar(
        select(Step.output).where(
            Step.transcript_id == transcript.id,
            Step.run == transcript.shown_run,
            Step.name == StepName.TRANSLATE,
            Step.state == StepState.DONE,
        )
    )
    return output if output and output["text"] else None


def live_text_of(session: Session, transcript_id: str, with_kept: bool) -> list[dict[str, Any]]:
    """Return the lines of live text: of a recording that runs, or else what is kept."""
    for name in (EventName.LIVE, EventName.LIVE_KEPT) if with_kept else (EventName.LIVE,):
        found = session.scalars(
            select(Event.data)
            .where(Event.transcript_id == transcript_id, Event.name == name)
            .order_by(Event.id)
        )
        if lines := [{"track": None, **data["line"]} for data in found if "line" in data]:
            return lines
    return []


def page_of(
    session: Session, caller: Caller, filters: list[Any], order: Any, page: int, size: int
) -> dict[str, Any]:
    """Return one page of the list for `caller`. `page` counts from 1."""
    query = minimal_query().where(*filters, listed(caller)).order_by(order, Transcript.id)
    rows = session.execute(paging.cut(query, page, size))
    items = [without_strangers(minimal(row), caller) for row in rows]
    complete = page == 1 and len(items) < size
    total = len(items) if complete else count(session, caller, filters)
    return {"items": items, **paging.page_fields(page, size, total)}


def count(session: Session, caller: Caller, filters: list[Any]) -> int:
    """Return the number of listed transcripts that match `filters`.

    Own transcripts and others are counted apart, because each has an index of its own.
    """
    parts = [
        select(func.count()).select_from(Transcript).where(*filters, part).scalar_subquery()
        for part in listed_parts(caller)
    ]
    return session.scalar(select(sum(parts[1:], start=parts[0]))) or 0
