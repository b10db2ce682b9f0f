"""Order deliveries in the transaction of what they tell about: neither is there without the other."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reflector.accounts.access import NOBODY, may_room_read
from reflector.db.models import Room, Transcript, Webhook, WebhookDelivery, now
from reflector.webhooks.events import WebhookEvent
from reflector.webhooks.targets import Target, of


def announce(session: Session, transcript: Transcript, event: WebhookEvent) -> None:
    """Tell the webhooks of the transcript's owner and of its room, once this is committed."""
    for target in _told(session, transcript, event):
        if _is_waiting(session, target, transcript, event):
            continue  # its body is made when it is sent, and shows the newest state
        is_room = isinstance(target, Room)
        session.add(
            WebhookDelivery(
                webhook_id=None if is_room else target.id, room_id=target.id if is_room else None,
                transcript_id=transcript.id, event=event, due_at=now(),
            )
        )  # fmt: skip


def forget(session: Session, transcript_id: str) -> None:
    """Remove what was to be sent about a transcript that is destroyed.

    What tells that it was deleted stays: it holds no words.
    """
    told = WebhookDelivery.transcript_id == transcript_id
    others = WebhookDelivery.event != WebhookEvent.DELETED
    session.execute(delete(WebhookDelivery).where(told, others))


def _told(session: Session, transcript: Transcript, event: WebhookEvent) -> Iterator[Target]:
    owner = transcript.user_id or NOBODY
    for webhook in session.scalars(select(Webhook).where(Webhook.user_id == owner)):
        if event in webhook.events:
            yield webhook
    room = session.get(Room, transcript.room_id) if transcript.room_id else None
    if room is None or not room.webhook_url:
        return
    # What was told while the room could read it is told to be gone
    knew = event == WebhookEvent.DELETED and _was_told(session, room, transcript)
    if knew or may_know(room, transcript):
        yield room


def may_know(target: Target, transcript: Transcript) -> bool:
    """Return whether the owner of the webhook, or of its room, may read the transcript now."""
    if isinstance(target, Room):
        return may_room_read(target, transcript)
    return (transcript.user_id or NOBODY) == target.user_id


def _was_told(session: Session, target: Target, transcript: Transcript) -> bool:
    told = select(WebhookDelivery.id).where(
        of(target), WebhookDelivery.transcript_id == transcript.id
    )
    return session.scalar(told.limit(1)) is not None


def _is_waiting(
    session: Session, target: Target, transcript: Transcript, event: WebhookEvent
) -> bool:
    waiting = select(WebhookDelivery.id).where(
        of(target),
        WebhookDelivery.transcript_id == transcript.id,
        WebhookDelivery.event == event,
        WebhookDelivery.due_at.is_not(None),
        WebhookDelivery.body.is_(None),
    )
    # Locked, so that a worker that makes the body just now counts
    return session.scalar(waiting.limit(1).with_for_update()) is not None
