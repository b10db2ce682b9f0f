"""Make what is sent about a recording, with the fields of the reference."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from reflector.db.counts import count
from reflector.db.models import Room, ShareLink, Transcript, TranscriptShare, WebhookDelivery
from reflector.runtime.settings import Settings
from reflector.transcript import formats
from reflector.transcript.words import cues, segments
from reflector.transcripts import queries
from reflector.webhooks.events import WebhookEvent
from reflector.webhooks.targets import Target


def of_delivery(
    session: Session, settings: Settings, delivery: WebhookDelivery, at: datetime
) -> str:
    """Return the body as JSON. Its target may know the transcript, which is there."""
    head = {"event": delivery.event, "event_id": delivery.id, "timestamp": at.isoformat()}
    if delivery.event == WebhookEvent.DELETED:
        about: dict[str, Any] = {"id": delivery.transcript_id}
        return json.dumps({**head, "transcript": about})
    transcript = session.get_one(Transcript, delivery.transcript_id)
    about = _brief(settings, transcript)
    if delivery.event == WebhookEvent.COMPLETED:
        about |= _results(session, transcript)
    if delivery.event == WebhookEvent.FAILED:
        about["error"] = transcript.error
    if delivery.event == WebhookEvent.SHARED:
        about |= _sharing(session, transcript)
    return json.dumps(
        {**head, "transcript": about, "room": _room(session, transcript), "calendar_event": None},
        ensure_ascii=False,
    )


def of_test(target: Target, message: str, at: datetime) -> str:
    """Return the body of a test. `message` is its id."""
    room = {"id": target.id, "name": target.name} if isinstance(target, Room) else None
    return json.dumps(
        {
            "event": "test", "event_id": message, "timestamp": at.isoformat(),
            "message": "This is a test of the webhook.", "room": room,
        }
    )  # fmt: skip


def _brief(settings: Settings, transcript: Transcript) -> dict[str, Any]:
    """Return what every event tells: nothing that was said."""
    return {
        "id": transcript.id,
        "room_id": transcript.room_id,
        "created_at": transcript.created_at.isoformat(),
        "duration": transcript.duration,
        "title": transcript.title,
        "name": transcript.name,
        "source_language": transcript.source_language,
        "target_language": transcript.target_language,
        "status": transcript.status,
        "share_mode": transcript.share_mode,
        "frontend_url": settings.page_url(f"transcripts/{transcript.id}"),
    }


def _results(session: Session, transcript: Transcript) -> dict[str, Any]:
    people = queries.participants_of(session, transcript.id)
    names = queries.names_of(people)
    words = queries.words_of(session, transcript)
    return {
        "short_summary": transcript.short_summary,
        "long_summary": transcript.long_summary,
        "action_items": transcript.action_items,
        "webvtt": formats.webvtt(cues(words), names),
        "topics": [
            {
                "title": topic.title, "summary": topic.summary, "timestamp": topic.timestamp,
                "duration": topic.duration,
                "webvtt": formats.webvtt(segments(words[topic.first_word : topic.last_word]), names),
            }
            for topic in queries.topic_rows(session, transcript)
        ],
        "participants": [{"id": p.id, "name": p.name, "speaker": p.speaker} for p in people],
    }  # fmt: skip


def _sharing(session: Session, transcript: Transcript) -> dict[str, Any]:
    """Return with how many a transcript is shared: no addresses, and no links that open it."""
    return {
        "shared_with": count(session, TranscriptShare.transcript_id == transcript.id),
        "links": count(session, ShareLink.transcript_id == transcript.id),
    }


def _room(session: Session, transcript: Transcript) -> dict[str, Any] | None:
    room = session.get(Room, transcript.room_id) if transcript.room_id else None
    return {"id": room.id, "name": room.name} if room else None
