"""Remove transcripts without an owner after some days, in public mode."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import delete, select

from reflector.db.models import Meeting, Recording, Transcript, now
from reflector.housekeeping import deletions
from reflector.services import Services
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

log = logging.getLogger(__name__)


def clean_up(services: Services) -> int:
    """Remove anonymous transcripts older than PUBLIC_DATA_RETENTION_DAYS; return how many.

    Their recordings, meetings and stored objects go with them. Does nothing without PUBLIC_MODE.
    """
    settings = services.settings
    if not settings.PUBLIC_MODE:
        return 0
    limit = now() - timedelta(days=settings.PUBLIC_DATA_RETENTION_DAYS)
    with services.db.read() as session:
        old = session.scalars(
            select(Transcript.id).where(Transcript.user_id.is_(None), Transcript.created_at < limit)
        ).all()
    for transcript_id in old:
        _destroy(services, transcript_id)
    if old:
        deletions.execute(services)
        log.info("removed %s anonymous transcripts older than %s", len(old), limit.date())
    return len(old)


def _destroy(services: Services, transcript_id: str) -> None:
    with services.db.write() as session:
        transcript = session.get(Transcript, transcript_id, with_for_update=True)
        if transcript is None:
            return
        meeting_id = transcript.meeting_id
        if meeting_id is None and transcript.recording_id is not None:
            recording = session.get(Recording, transcript.recording_id)
            meeting_id = recording.meeting_id if recording is not None else None
        if meeting_id is not None:
            session.execute(delete(Meeting).where(Meeting.id == meeting_id))
        if transcript.deleted_at is None and transcript.last_run:
            webhooks.announce(session, transcript, WebhookEvent.DELETED)
        deletions.destroy(session, transcript)
