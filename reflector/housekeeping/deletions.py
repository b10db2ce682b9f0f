"""Delete stored objects until the storage confirms that they are gone.

The transaction that deletes a transcript also writes a row that orders the deletion. The row is
removed after two checks, some time apart, found nothing: a worker may still be storing an object.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from reflector.db.models import Deletion, Recording, Transcript, now
from reflector.errors import ReflectorError
from reflector.services import Services
from reflector.webhooks import queue as webhooks

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)


def order(session: Session, prefix: str) -> None:
    """Delete everything under the folder `prefix` after this transaction is committed."""
    session.add(Deletion(prefix=prefix))


def destroy(session: Session, transcript: Transcript) -> None:
    """Remove a transcript for good: its rows now, its objects by an order to delete."""
    if transcript.recording_id is not None:
        session.execute(delete(Recording).where(Recording.id == transcript.recording_id))
    webhooks.forget(session, transcript.id)
    session.delete(transcript)
    order(session, transcript.id)


def execute(services: Services, prefix: str | None = None) -> int:
    """Execute the deletions that are due. Return the number of orders that are still open.

    With `prefix`, execute only its deletions, so that a request does not do those of others. Errors
    are stored with their order.
    """
    wanted = select(Deletion.id).where(Deletion.due_at <= now())
    if prefix is not None:
        wanted = wanted.where(Deletion.prefix == prefix)
    with services.db.read() as session:
        due = session.scalars(wanted.order_by(Deletion.due_at).limit(100)).all()
    for number in due:
        _execute_one(services, number)
    with services.db.read() as session:
        return len(session.scalars(select(Deletion.id)).all())


def _execute_one(services: Services, number: int) -> None:
    with services.db.write() as session:
        # Moving the due date claims the order for this process
        prefix = session.scalar(
            update(Deletion)
            .where(Deletion.id == number, Deletion.due_at <= now())
            .values(due_at=now() + LOOK_AGAIN, attempts=Deletion.attempts + 1)
            .returning(Deletion.prefix)
            .execution_options(synchronize_session=False)
        )
    if prefix is None:
        return
    problem: str | None = None
    found = 0
    try:
        found = _delete(services, prefix)
    except (ReflectorError, OSError) as error:
        problem = str(error)
        log.warning("what was deleted under %s is still stored: %s", prefix, problem)
    with services.db.write() as session:
        order = session.get(Deletion, number, with_for_update=True)
        if order is None:
            return
        order.error = problem
        if problem is not None:
            wait = min(FIRST_RETRY * 2 ** min(order.attempts, 10), LONGEST_RETRY)
            order.due_at = now() + wait
        elif found == 0 and now() - order.created_at >= LOOK_AGAIN:
            session.delete(order)


def _delete(services: Services, prefix: str) -> int:
    """Delete the objects and local files of `prefix`; return how many objects there were."""
    found = len(services.storage.keys(prefix))
    services.storage.delete_prefix(prefix)
    uploads = services.settings.uploads_dir
    for folder in (uploads, services.settings.scratch_dir, services.settings.live_dir):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder / prefix)
    live = services.settings.live_dir
    for folder in (live / "set-aside").glob(f"{prefix}.*"):
        shutil.rmtree(folder, ignore_errors=True)
    for locks in (uploads.parent / "locks", live / "locks"):
        for lock in [*locks.glob(f"{prefix}.*"), locks / prefix]:
            lock.unlink(missing_ok=True)
    return found
