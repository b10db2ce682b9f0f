"""Send the deliveries that are due, each until it is there or its three days are over.

A delivery is claimed before it is sent, so that no two workers send it; one whose worker dies is
sent again, with the same id, by which the receiver knows it.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, delete, func, or_, select
from sqlalchemy.orm import Session

from reflector.db.attempts import LONGEST_RETRY
from reflector.db.engine import is_disconnect, retry_on_disconnect
from reflector.db.models import Room, Transcript, Webhook, WebhookDelivery, now
from reflector.errors import N_, Conflict, Part, ReflectorError, sentence
from reflector.outgoing.client import Answer, request
from reflector.outgoing.problems import FAILED, REMOVED
from reflector.outgoing.turns import one_at_a_time
from reflector.services import Services
from reflector.webhooks import body, signature, targets
from reflector.webhooks.events import WebhookEvent
from reflector.webhooks.queue import may_know
from reflector.webhooks.schemas import WebhookTest
from reflector.webhooks.targets import Target

log = logging.getLogger(__name__)

SECONDS = 30.0
TEST_SECONDS = 10.0
# A receiver that fails gets nothing else for so long, unless it asks for longer
REST = timedelta(minutes=2)
KEPT = timedelta(days=30)
PREVIEW_BYTES = 1000
AT_ONCE = 4
BATCH = 200
GONE = 410
TURN_SECONDS = 60.0
NO_TARGET: list[Part] = [(N_("The webhook was removed before this was sent."), {})]
ANSWERED = N_("The receiver answered {status}.")
TAKEN = N_("The receiver took the test.")
BEING_SENT = N_("It is being sent just now.")


@dataclass(frozen=True)
class Message:
    """One attempt, with what is read of the database for it."""

    id: str
    url: str
    secrets: list[str]
    event: str
    retry: int
    body: bytes


@one_at_a_time
def execute(services: Services) -> int:
    """Send what is due. Return how many deliveries were tried.

    After a failure its target is left alone for a while, and others need not wait for it.
    """
    with services.db.read() as session:
        due = session.execute(_due()).all()
    until = time.monotonic() + TURN_SECONDS

    def work(rows: list[Row[str, str, datetime | None]]) -> int:
        tried = 0
        for row in rows:
            went_well = None if time.monotonic() > until else _try(services, row[0])
            tried += went_well is not None
            if went_well is False:
                break
        return tried

    by_target = sorted(due, key=lambda row: (row[1], row[2]))
    groups = [list(rows) for _, rows in groupby(by_target, key=lambda row: row[1])]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks") as pool:
        return sum(pool.map(work, groups))


def send_now(services: Services, delivery_id: str) -> None:
    """Send it once, at once, whether it has ended or not; the result is in its row.

    Raises Conflict if it is being sent.
    """
    moment = now()
    with services.db.write() as session:
        delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if delivery is None:
            return
        if delivery.is_claimed(moment):
            raise Conflict(BEING_SENT)
        delivery.renew(moment)
    _try(services, delivery_id, even_if_it_rests=True)


def test(services: Services, target: Target) -> WebhookTest:
    """Send a test, and return what became of it. Errors of the receiver are a result, too."""
    moment = now()
    number = f"test-{int(moment.timestamp() * 1000)}"
    message = Message(
        number, target.webhook_url or "", targets.secrets_of(target), "test", 0,
        body.of_test(target, number, moment).encode(),
    )  # fmt: skip
    try:
        answer = _ask(services, message, moment, TEST_SECONDS)
    except ReflectorError as error:
        return WebhookTest(success=False, error=str(error), error_parts=error.parts)
    problem = _problem(answer)
    return WebhookTest(
        success=problem is None,
        message="" if problem else TAKEN,
        error=sentence(problem) or "",
        error_parts=problem,
        status_code=answer.status,
        response_preview=answer.content.decode(errors="replace"),
    )


def remove_old(services: Services) -> None:
    """Remove records of deliveries of long ago, and what has waited that long for a paused target."""
    moment = now()
    is_old = WebhookDelivery.created_at < moment - KEPT
    is_over = or_(WebhookDelivery.due_at.is_(None), WebhookDelivery.expires_at < moment)
    with services.db.write() as session:
        session.execute(delete(WebhookDelivery).where(is_old, is_over))


def _due() -> Select[str, str, datetime | None]:
    """Return the query for what may be sent now: id, target, due time."""
    moment = now()
    is_told = or_(
        WebhookDelivery.webhook_id.in_(_ready(Webhook, moment)),
        WebhookDelivery.room_id.in_(_ready(Room, moment)),
    )
    target = func.coalesce(WebhookDelivery.webhook_id, WebhookDelivery.room_id)
    return (
        select(WebhookDelivery.id, target, WebhookDelivery.due_at)
        .where(WebhookDelivery.due(moment), is_told)
        .order_by(WebhookDelivery.due_at)
        .limit(BATCH)
    )


def _ready(table: type[Webhook] | type[Room], moment: datetime) -> Select[str]:
    """Return the query for targets that are neither paused nor left alone."""
    rests = table.webhook_not_before > moment
    return select(table.id).where(
        table.webhook_paused_at.is_(None), or_(table.webhook_not_before.is_(None), ~rests)
    )


def _try(services: Services, delivery_id: str, *, even_if_it_rests: bool = False) -> bool | None:
    """Send it once. Return whether that went well; None if there was nothing to send."""
    moment = now()
    answer: Answer | None = None
    problem: list[Part] | None = None
    try:
        message = _claim(services, delivery_id, moment, even_if_it_rests)
        if message is None:
            return None
        answer = _ask(services, message, moment, SECONDS)
        problem = _problem(answer)
    except ReflectorError as error:
        problem = error.parts
    except Exception as error:
        if is_disconnect(error):
            raise
        log.exception("the delivery %s of a webhook failed", delivery_id)
        problem = FAILED
    # What was taken must not be sent again because the database restarts
    retry_on_disconnect(lambda: _note_one(services, delivery_id, answer, problem))
    return problem is None


def _note_one(
    services: Services, delivery_id: str, answer: Answer | None, problem: list[Part] | None
) -> None:
    with services.db.write() as session:
        _note(session, delivery_id, answer, problem)


def _claim(
    services: Services, delivery_id: str, moment: datetime, even_if_it_rests: bool
) -> Message | None:
    """Return what to send, claimed for this process; None if there is nothing to send now."""
    with services.db.write() as session:
        delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if delivery is None or not delivery.is_due(moment):
            return None
        target = _target(session, delivery)
        if target is None or not target.webhook_url:
            _end(delivery, NO_TARGET)
            return None
        rests = target.webhook_not_before is not None and target.webhook_not_before > moment
        if rests and not even_if_it_rests:
            return None
        if not _is_to_tell(session, delivery, target):
            _end(delivery, REMOVED)
            return None
        if delivery.body is None:
            delivery.body = body.of_delivery(session, services.settings, delivery, moment)
        delivery.claim(moment)
        return Message(
            delivery.id, target.webhook_url, targets.secrets_of(target), delivery.event,
            delivery.attempts - 1, delivery.body.encode(),
        )  # fmt: skip


def _is_to_tell(session: Session, delivery: WebhookDelivery, target: Target) -> bool:
    """Return whether the target may know it now: that may have changed since it was ordered."""
    if delivery.event == WebhookEvent.DELETED:
        return True
    transcript = session.get(Transcript, delivery.transcript_id)
    if transcript is None or transcript.deleted_at is not None:
        return False
    return may_know(target, transcript)


def _ask(services: Services, message: Message, moment: datetime, seconds: float) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Reflector-Webhook/1.0",
        "X-Webhook-Event": message.event,
        "X-Webhook-Retry": str(message.retry),
        **signature.headers(message.secrets, message.id, moment, message.body),
    }
    return request(
        services.allowed_addresses, "POST", message.url, headers=headers, content=message.body,
        seconds=seconds, most_bytes=PREVIEW_BYTES,
    )  # fmt: skip


def _problem(answer: Answer) -> list[Part] | None:
    """Return what is wrong with it; None if the receiver took what was sent."""
    return None if 200 <= answer.status < 300 else [(ANSWERED, {"status": answer.status})]


def _target(session: Session, delivery: WebhookDelivery, *, lock: bool = False) -> Target | None:
    if delivery.webhook_id is not None:
        return session.get(Webhook, delivery.webhook_id, with_for_update=lock or None)
    return session.get(Room, delivery.room_id, with_for_update=lock or None)


def _end(delivery: WebhookDelivery, problem: list[Part] | None) -> None:
    """What was said does not stay: sending again makes it anew."""
    delivery.end(problem)
    delivery.body = None


def _note(
    session: Session, delivery_id: str, answer: Answer | None, problem: list[Part] | None
) -> None:
    """Note what became of an attempt, and when the next one is."""
    found = session.get(WebhookDelivery, delivery_id)
    if found is None:
        return
    # The target first, as routes do: two orders could wait for each other
    target = _target(session, found, lock=True)
    delivery = session.get(
        WebhookDelivery, delivery_id, with_for_update=True, populate_existing=True
    )
    moment = now()
    if delivery is None or delivery.due_at is None:
        return  # removed meanwhile, or ended by another worker
    delivery.status_code = answer.status if answer else None
    if problem is None or target is None:
        _end(delivery, problem)
        if target is not None:
            target.webhook_not_before = None
        return
    asked = _asked_for(answer)
    has_time = delivery.retry(moment, problem, asked)
    target.webhook_not_before = moment + min(max(REST, asked), LONGEST_RETRY)
    if not has_time or (answer is not None and answer.status == GONE):
        # It waits, with what happens meanwhile, until somebody has looked at it
        targets.pause(target, problem)
        host = urlsplit(target.webhook_url or "").hostname
        log.warning("the webhook %s to %s is paused: %s", target.id, host, sentence(problem))


def _asked_for(answer: Answer | None) -> timedelta:
    """Return how long the receiver wants to be left alone, if it says so in seconds."""
    text = answer.headers.get("retry-after", "") if answer else ""
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    return timedelta(seconds=int(text) if is_number else 0)
