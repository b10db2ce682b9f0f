"""Rows of the database as answers of the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.db.models import Participant, Topic, Transcript, Words
from reflector.transcript import formats
from reflector.transcript.formats import TextFormat
from reflector.transcript.topics import topic_view
from reflector.transcript.words import Word, from_rows, segments

MINIMAL = [
    "id", "user_id", "name", "status", "locked", "duration", "title", "short_summary",
    "long_summary", "share_mode", "source_language", "target_language", "reviewed", "meeting_id",
    "source_kind", "room_id", "audio_deleted", "change_seq",
]  # fmt: skip


def minimal(transcript: Transcript) -> dict[str, Any]:
    fields = {name: getattr(transcript, name) for name in MINIMAL}
    return {**fields, "created_at": transcript.created_at.isoformat()}


def participants_of(session: Session, transcript_id: str) -> list[Participant]:
    return list(
        session.scalars(
            select(Participant)
            .where(Participant.transcript_id == transcript_id)
            .order_by(Participant.position)
        )
    )


def with_participants(session: Session, transcript: Transcript) -> dict[str, Any]:
    participants = [
        {"id": p.id, "speaker": p.speaker, "name": p.name, "user_id": p.user_id}
        for p in participants_of(session, transcript.id)
    ]
    return {**minimal(transcript), "participants": participants}


def words_of(session: Session, transcript: Transcript) -> list[Word]:
    if transcript.shown_run is None:
        return []
    row = session.get(Words, (transcript.id, transcript.shown_run))
    return from_rows(row.words) if row else []


def with_text(session: Session, transcript: Transcript, format: TextFormat) -> dict[str, Any]:
    body = with_participants(session, transcript)
    names = {p["speaker"]: p["name"] for p in body["participants"] if p["speaker"] is not None}
    parts = segments(words_of(session, transcript))
    text: Any
    if format is TextFormat.JSON:
        text = formats.json_segments(parts, names)
    elif format is TextFormat.WEBVTT_NAMED:
        text = formats.webvtt(parts, names)
    elif format is TextFormat.TEXT_TIMESTAMPED:
        text = formats.text_timestamped(parts, names)
    else:
        text = formats.text(parts, names)
    return {**body, "transcript_format": format.value, "transcript": text}


def topics_of(session: Session, transcript: Transcript, with_words: bool) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Topic)
        .where(Topic.transcript_id == transcript.id, Topic.run == transcript.shown_run)
        .order_by(Topic.position)
    ).all()
    words = words_of(session, transcript) if rows else []
    result = []
    for row in rows:
        part = words[row.first_word : row.last_word]
        view = topic_view(row, part)
        if with_words:
            view["words"] = [
                {"text": w.text, "start": w.start, "end": w.end, "speaker": w.speaker} for w in part
            ]
        result.append(view)
    return result
