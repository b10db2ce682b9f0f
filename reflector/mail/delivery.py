"""Send the e-mail that is due, each until it is there or its three days are over."""

from __future__ import annotations

import logging
import threading
import time
from email.message import EmailMessage

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import may_room_read
from reflector.db.engine import is_disconnect
from reflector.db.models import Mail, Room, Transcript, now
from reflector.errors import InvalidInput, Part, ReflectorError, Unavailable
from reflector.mail import message, smtp
from reflector.outgoing.problems import FAILED, REMOVED
from reflector.services import Services

log = logging.getLogger(__name__)

BATCH = 100
TURN_SECONDS = 60.0

_turn = threading.Lock()


def execute(services: Services) -> int:
    """Send what is due. Return how many were tried.

    Does nothing while an earlier turn still works. If the mail server is away, one attempt finds
    that out for all.
    """
    if not services.settings.sends_mail or not _turn.acquire(blocking=False):
        return 0
    try:
        due = select(Mail.id).where(Mail.due_at <= now()).order_by(Mail.due_at).limit(BATCH)
        with services.db.read() as session:
            waiting = session.scalars(due).all()
        until, tried = time.monotonic() + TURN_SECONDS, 0
        for mail_id in waiting:
            if time.monotonic() > until:
                break
            error = attempt(services, mail_id)
            tried += 1
            if isinstance(error, Unavailable):
                break
        return tried
    finally:
        _turn.release()


def attempt(services: Services, mail_id: str, *, is_last: bool = False) -> ReflectorError | None:
    """Send it once, unless somebody else does. Return what went wrong, which is in its row, too.

    With `is_last` it is not tried again.
    """
    error: ReflectorError | None = None
    parts: list[Part] | None = None
    try:
        written = _claim(services, mail_id)
        if written is None:
            return None
        smtp.send(services.settings, written)
    except ReflectorError as problem:
        error, parts = problem, problem.parts
    except Exception as problem:
        if is_disconnect(problem):
            raise
        log.exception("the e-mail %s failed", mail_id)
        error, parts = ReflectorError(FAILED[0][0]), FAILED
    with services.db.write() as session:
        mail = session.get(Mail, mail_id, with_for_update=True)
        if mail is None:
            return error
        is_over = parts is None or is_last or isinstance(error, InvalidInput)
        if is_over or not mail.retry(now(), parts):
            mail.end(parts)
    if error is not None:
        log.warning("an e-mail about %s was not sent: %s", mail.transcript_id, error)
    return error


def _claim(services: Services, mail_id: str) -> EmailMessage | None:
    """Return what to send, claimed for this process; None if there is nothing to send now."""
    moment = now()
    with services.db.write() as session:
        mail = session.get(Mail, mail_id, with_for_update=True)
        if mail is None or not mail.is_due(moment):
            return None
        if not _may_have(session, mail):
            mail.end(REMOVED)
            return None
        mail.claim(moment)
    with services.db.read() as session:
        return message.compose(session, services.settings, session.get_one(Mail, mail_id))


def _may_have(session: Session, mail: Mail) -> bool:
    """Return whether it may be sent now: that may have changed since it was ordered."""
    transcript = session.get_one(Transcript, mail.transcript_id)
    if transcript.deleted_at is not None:
        return False
    room = session.get(Room, mail.room_id) if mail.room_id else None
    return mail.room_id is None or (room is not None and may_room_read(room, transcript))
