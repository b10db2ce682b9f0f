"""Order e-mail, in the transaction of what it is about."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from reflector.accounts.access import may_room_read
from reflector.db.counts import count
from reflector.db.models import Mail, Room, Transcript, User, now
from reflector.errors import Busy
from reflector.localization import ENGLISH, LANGUAGES
from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

# An account may not make this server a sender of advertisements
MOST_AN_HOUR = 60
MOST_A_DAY = 2000


def order_for_room(session: Session, settings: Settings, transcript: Transcript) -> None:
    """Send a transcript that is ready to whom its room names, to each of them once.

    Those who have it are not sent what another run made of it.
    """
    room = session.get(Room, transcript.room_id) if transcript.room_id else None
    if room is None or not settings.sends_mail or not may_room_read(room, transcript):
        return
    had = select(Mail.recipient).where(Mail.transcript_id == transcript.id, Mail.room_id == room.id)
    known = {each.lower() for each in session.scalars(had)}
    owner = session.get(User, room.user_id)
    language = owner.language if owner else None
    for recipient in recipients_of(room):
        if recipient.lower() in known:
            continue
        if _sent_since(session, timedelta(days=1), Mail.room_id == room.id) >= MOST_A_DAY:
            log.warning(
                "the room %s has sent %s e-mails in a day, and sends no more", room.id, MOST_A_DAY
            )
            return
        known.add(recipient.lower())
        session.add(
            Mail(
                transcript_id=transcript.id, room_id=room.id, recipient=recipient, due_at=now(),
                language=language if language in LANGUAGES else ENGLISH,
            )
        )  # fmt: skip


def recipients_of(room: Room) -> list[str]:
    return [each.strip() for each in (room.email_transcript_to or "").split(",") if each.strip()]


def order(
    session: Session, transcript_id: str, user_id: str, recipient: str, language: str
) -> Mail:
    """Order what a person wants to be sent now, by themselves: no worker sends it.

    Raises Busy if they have sent MOST_AN_HOUR.
    """
    if _sent_since(session, timedelta(hours=1), Mail.user_id == user_id) >= MOST_AN_HOUR:
        raise Busy("You have sent {most} e-mails in an hour. Wait a while.", most=MOST_AN_HOUR)
    mail = Mail(
        transcript_id=transcript_id, user_id=user_id, recipient=recipient, language=language
    )
    session.add(mail)
    session.flush()
    return mail


def _sent_since(session: Session, time: timedelta, whose: ColumnElement[bool]) -> int:
    return count(session, whose, Mail.created_at > now() - time)
