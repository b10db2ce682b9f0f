"""Order e-mail, in the transaction of what it is about."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reflector.accounts.access import may_room_read
from reflector.db.models import Mail, Room, Transcript, User, now
from reflector.errors import Busy
from reflector.localization import ENGLISH, LANGUAGES
from reflector.runtime.settings import Settings

# An account may not make this server a sender of advertisements
MOST_AN_HOUR = 60


def order_for_room(session: Session, settings: Settings, transcript: Transcript) -> None:
    """Send a transcript that is ready to whom its room names, to each of them once.

    Those who have it are not sent what another run made of it.
    """
    room = session.get(Room, transcript.room_id) if transcript.room_id else None
    if room is None or not settings.sends_mail or not may_room_read(room, transcript):
        return
    had = select(Mail.recipient).where(Mail.transcript_id == transcript.id)
    known = set(session.scalars(had))
    owner = session.get(User, room.user_id)
    language = owner.language if owner else None
    for recipient in dict.fromkeys(recipients_of(room)):
        if recipient not in known:
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
    """Order what a person wants to be sent now. Raises Busy if they have sent MOST_AN_HOUR."""
    recent = Mail.user_id == user_id, Mail.created_at > now() - timedelta(hours=1)
    if (session.scalar(select(func.count()).select_from(Mail).where(*recent)) or 0) >= MOST_AN_HOUR:
        raise Busy("You have sent {most} e-mails in an hour. Wait a while.", most=MOST_AN_HOUR)
    mail = Mail(
        transcript_id=transcript_id, user_id=user_id, recipient=recipient, language=language,
        due_at=now(),
    )  # fmt: skip
    session.add(mail)
    session.flush()
    return mail
