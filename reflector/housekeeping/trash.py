"""Move recordings to the trash, from where they can be restored."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reflector.db.models import Recording, Status, Tag, Transcript, TranscriptTag, UTCDateTime, now
from reflector.events.names import UserEventName
from reflector.events.outbox import publish_changed, publish_to_owner
from reflector.services import Services
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

IDLE = {Status.IDLE, Status.ENDED, Status.ERROR}

log = logging.getLogger(__name__)


def discard(services: Services, session: Session, transcript: Transcript) -> None:
    """Move a transcript to the trash. Does nothing if it is there already."""
    if transcript.deleted_at is not None:
        return
    transcript.deleted_at = now()
    mark_recording(session, transcript)
    if transcript.last_run:
        webhooks.announce(session, transcript, WebhookEvent.DELETED)
    publish_to_owner(session, services.bus, transcript, UserEventName.TRANSCRIPT_DELETED)
    publish_changed(session, services.bus, transcript.id)


def mark_recording(session: Session, transcript: Transcript) -> None:
    """Mark the recording of a meeting room as its transcript is: deleted, or not."""
    if transcript.recording_id is not None:
        recording = session.get(Recording, transcript.recording_id)
        if recording is not None:
            recording.deleted_at = transcript.deleted_at


def apply_retention(services: Services) -> int:
    """Discard recordings that are older than a tag of their owner allows; return how many.

    A restored one counts from then.

    The shortest period counts. What is being processed is left for the next time.
    """
    with services.db.read() as session:
        rows = session.execute(
            select(
                Transcript.id,
                func.coalesce(Transcript.restored_at, Transcript.created_at, type_=UTCDateTime()),
                func.min(Tag.retention_days),
            )
            .join(TranscriptTag, TranscriptTag.transcript_id == Transcript.id)
            .join(Tag, Tag.id == TranscriptTag.tag_id)
            .where(
                Transcript.deleted_at.is_(None),
                Tag.retention_days.is_not(None),
                Tag.user_id.is_not_distinct_from(Transcript.user_id),
            )
            .group_by(Transcript.id, Transcript.created_at, Transcript.restored_at)
        ).all()
    moment = now()
    old = [
        key
        for key, since, days in rows
        if days is not None and since < moment - timedelta(days=days)
    ]
    done = sum(_discard_idle(services, key) for key in old)
    if done:
        log.info("moved %s recordings to the trash, as their tags say", done)
    return done


def _discard_idle(services: Services, transcript_id: str) -> bool:
    with services.db.write() as session:
        transcript = session.get(Transcript, transcript_id, with_for_update=True)
        if transcript is None or transcript.status not in IDLE:
            return False
        discard(services, session, transcript)
        return True
