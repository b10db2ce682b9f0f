"""Remove live text that was kept beside the final one for long enough."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from reflector.db.models import Event, now
from reflector.events.names import EventName
from reflector.services import Services

# Rows that a transaction deletes: others have to write meanwhile
BATCH = 1000


def remove_old(services: Services) -> None:
    """Remove kept live text that is older than LIVE_TEXT_DAYS."""
    limit = now() - timedelta(days=services.settings.LIVE_TEXT_DAYS)
    with services.db.read() as session:
        old = session.scalars(
            select(Event.id).where(Event.name == EventName.LIVE_KEPT, Event.created_at < limit)
        ).all()
    for first in range(0, len(old), BATCH):
        ids = old[first : first + BATCH]
        with services.db.write() as session:
            session.execute(
                delete(Event).where(Event.id.in_(ids)).execution_options(synchronize_session=False)
            )
