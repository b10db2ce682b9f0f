"""Send e-mail: what a room orders until it is there, and what a person asks for at once."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from email.message import EmailMessage

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reflector.accounts.access import may_room_read
from reflector.db.engine import is_disconnect, retry_on_disconnect
from reflector.db.models import Mail, Room, Transcript, now
from reflector.errors import InvalidInput, Part, ReflectorError
from reflector.mail import message, smtp
from reflector.mail.queue import recipients_of
from reflector.outgoing.problems import FAILED, REMOVED
from reflector.outgoing.turns import one_at_a_time
from reflector.services import Services

log = logging.getLogger(__name__)

BATCH = 100
TURN_SECONDS = 60.0
KEPT = timedelta(days=30)


@one_at_a_time
def execute(services: Services) -> int:
    """Send what is due. Return how many were tried.

    If the mail server is away, one attempt finds that out for all.
    """
    if not services.settings.sends_mail:
        return 0
    due = select(Mail.id).where(Mail.due(now())).order_by(Mail.due_at).limit(BATCH)
    with services.db.read() as session:
        waiting = session.scalars(due).all()
    until, tried = time.monotonic() + TURN_SECONDS, 0
    for mail_id in waiting:
        if time.monotonic() > until:
            break
        error = _try(services, mail_id)
        tried += 1
        if isinstance(error, smtp.ServerAway):
            break
    return tried


def send_now(services: Services, mail_id: str) -> None:
    """Send what a person asked for. Raises what went wrong; it is not tried again."""
    error, parts = _send(services, mail_id)
    with services.db.write() as session:
        mail = session.get(Mail, mail_id, with_for_update=True)
        if mail is not None:
            mail.attempts += 1
            mail.end(parts)
    if error is not None:
        raise error


def remove_old(services: Services) -> None:
    """Remove records of e-mail that was sent or given up long ago."""
    with services.db.write() as session:
        ended, old = Mail.due_at.is_(None), Mail.created_at < now() - KEPT
        session.execute(delete(Mail).where(ended, old))


def _try(services: Services, mail_id: str) -> ReflectorError | None:
    """Send it once, unless somebody else does. Return what went wrong, which is in its row, too."""
    if not _claim(services, mail_id):
        return None
    error, parts = _send(services, mail_id)

    def note() -> None:
        with services.db.write() as session:
            mail = session.get(Mail, mail_id, with_for_update=True)
            if mail is None or mail.due_at is None:
                return
            is_over = parts is None or isinstance(error, InvalidInput)
            if is_over or not mail.retry(now(), parts):
                mail.end(parts)

    # What was taken must not be sent again because the database restarts
    retry_on_disconnect(note)
    return error


def _send(services: Services, mail_id: str) -> tuple[ReflectorError | None, list[Part] | None]:
    """Write and send it. Return the error, and its parts."""
    try:
        smtp.send(services.settings, _written(services, mail_id))
    except ReflectorError as error:
        log.warning("the e-mail %s was not sent: %s", mail_id, error)
        return error, error.parts
    except Exception as error:
        if is_disconnect(error):
            raise
        log.exception("the e-mail %s failed", mail_id)
        return ReflectorError(FAILED[0][0]), FAILED
    return None, None


def _written(services: Services, mail_id: str) -> EmailMessage:
    with services.db.read() as session:
        return message.compose(session, services.settings, session.get_one(Mail, mail_id))


def _claim(services: Services, mail_id: str) -> bool:
    """Return whether this process is to send it now."""
    moment = now()
    with services.db.write() as session:
        mail = session.get(Mail, mail_id, with_for_update=True)
        if mail is None or not mail.is_due(moment):
            return False
        if not _may_have(session, mail):
            mail.end(REMOVED)
            return False
        mail.claim(moment)
        return True


def _may_have(session: Session, mail: Mail) -> bool:
    """Return whether the room still sends it there: that may have changed since it was ordered."""
    transcript = session.get(Transcript, mail.transcript_id)
    room = session.get(Room, mail.room_id) if mail.room_id else None
    if transcript is None or transcript.deleted_at is not None or room is None:
        return False
    is_wanted = transcript.room_id == room.id and mail.recipient in recipients_of(room)
    return is_wanted and may_room_read(room, transcript)
