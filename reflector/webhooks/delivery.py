"""Send the deliveries that are due, each until it is there or its three days are over.

A delivery is claimed by moving its due time, so that no two workers send it; one whose worker dies
is sent again, with the same id, by which the receiver knows it.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import Session

from reflector.db.models import Room, Webhook, WebhookDelivery, now
from reflector.db.webhooks import PATIENCE
from reflector.errors import N_, ReflectorError
from reflector.outgoing.client import Answer, request
from reflector.services import Services
from reflector.webhooks import body, signature, targets
from reflector.webhooks.schemas import WebhookTestResult
from reflector.webhooks.targets import Target

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=2)
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=6)
KEPT = timedelta(days=30)
SECONDS = 30.0
TEST_SECONDS = 10.0
PREVIEW_BYTES = 1000
AT_ONCE = 4
BATCH = 100
GONE = 410
# Between turns of the schedule there is time for other jobs
TURN_SECONDS = 60.0
REMOVED = N_("The recording was deleted before this was sent.")
NO_TARGET = N_("The webhook was removed before this was sent.")
TAKEN = N_("The receiver took the test.")


@dataclass(frozen=True)
class Message:
    """One attempt, with what is read of the database for it."""

    id: str
    target: str
    url: str
    secrets: list[str]
    event: str
    attempt: int
    body: bytes


def execute(services: Services) -> int:
    """Send what is due. Return how many deliveries were tried.

    A target that does not answer is not asked again in this turn: others need not wait for it.
    """
    with services.db.read() as session:
        due = session.scalars(_due().limit(BATCH)).all()
    failing: set[str] = set()
    begun = time.monotonic()

    def work(delivery_id: str) -> bool:
        if time.monotonic() - begun > TURN_SECONDS:
            return False
        try:
            return _try(services, delivery_id, failing)
        except Exception:
            log.exception("the delivery %s of a webhook failed; it is tried again", delivery_id)
            return False

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks") as pool:
        return sum(pool.map(work, due))


def send_now(services: Services, delivery_id: str) -> None:
    """Send it once, at once, whether it has ended or not; the result is in its row."""
    with services.db.write() as session:
        delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if delivery is None:
            return
        moment = now()
        if delivery.due_at is None:
            delivery.expires_at = moment + PATIENCE
        delivery.due_at = moment
    _try(services, delivery_id, set())


def test(services: Services, target: Target) -> WebhookTestResult:
    """Send a test, and return what became of it. Errors of the receiver are a result, too."""
    moment = now()
    number = f"test-{int(moment.timestamp() * 1000)}"
    message = Message(
        number, target.id, target.webhook_url or "", targets.secrets_of(target), "test", 1,
        body.of_test(target, number, moment).encode(),
    )  # fmt: skip
    try:
        answer = _ask(services, message, moment, TEST_SECONDS)
    except ReflectorError as error:
        return WebhookTestResult(success=False, error=str(error))
    problem = _problem(answer)
    return WebhookTestResult(
        success=problem is None,
        message="" if problem else TAKEN,
        error=problem or "",
        status_code=answer.status,
        response_preview=answer.content.decode(errors="replace"),
    )


def remove_old(services: Services) -> None:
    """Remove records of deliveries that ended long ago."""
    with services.db.write() as session:
        ended, old = WebhookDelivery.due_at.is_(None), WebhookDelivery.created_at < now() - KEPT
        session.execute(delete(WebhookDelivery).where(ended, old))


def _due() -> Select[str]:
    is_active = or_(
        WebhookDelivery.webhook_id.in_(
            select(Webhook.id).where(Webhook.webhook_paused_at.is_(None))
        ),
        WebhookDelivery.room_id.in_(select(Room.id).where(Room.webhook_paused_at.is_(None))),
    )
    is_due = WebhookDelivery.due_at <= now()
    return select(WebhookDelivery.id).where(is_due, is_active).order_by(WebhookDelivery.due_at)


def _try(services: Services, delivery_id: str, failing: set[str]) -> bool:
    moment = now()
    message = _claim(services, delivery_id, moment, failing)
    if message is None:
        return False
    answer: Answer | None = None
    problem: str | None = None
    try:
        answer = _ask(services, message, moment, SECONDS)
        problem = _problem(answer)
    except ReflectorError as error:
        problem = str(error)
    if problem is not None:
        failing.add(message.target)
    with services.db.write() as session:
        delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if delivery is not None:
            _note(session, delivery, answer, problem)
    return True


def _claim(
    services: Services, delivery_id: str, moment: datetime, failing: set[str]
) -> Message | None:
    """Return what to send, claimed for this process; None if there is nothing to send now."""
    with services.db.write() as session:
        delivery = session.get(WebhookDelivery, delivery_id, with_for_update=True)
        if delivery is None or delivery.due_at is None or delivery.due_at > moment:
            return None
        target = _target(session, delivery)
        if target is not None and target.id in failing:
            delivery.due_at = moment + FIRST_RETRY
            return None
        if target is None or not target.webhook_url:
            _end(delivery, NO_TARGET)
            return None
        if delivery.body is None:
            delivery.body = body.of_delivery(session, services.settings, delivery, moment)
        if delivery.body is None:
            _end(delivery, REMOVED)
            return None
        delivery.due_at = moment + CLAIM
        delivery.attempts += 1
        return Message(
            delivery.id, target.id, target.webhook_url, targets.secrets_of(target), delivery.event,
            delivery.attempts, delivery.body.encode(),
        )  # fmt: skip


def _ask(services: Services, message: Message, moment: datetime, seconds: float) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Reflector-Webhook/1.0",
        "X-Webhook-Event": message.event,
        "X-Webhook-Retry": str(message.attempt - 1),
        **signature.headers(message.secrets, message.id, moment, message.body),
    }
    return request(
        services.allowed_addresses, "POST", message.url, headers=headers,
        content=message.body, seconds=seconds, most_bytes=PREVIEW_BYTES,
    )  # fmt: skip


def _problem(answer: Answer) -> str | None:
    """Return what is wrong with it; None if the receiver took what was sent."""
    return None if 200 <= answer.status < 300 else f"The receiver answered {answer.status}."


def _target(session: Session, delivery: WebhookDelivery) -> Target | None:
    if delivery.webhook_id is not None:
        return session.get(Webhook, delivery.webhook_id, with_for_update=True)
    return session.get(Room, delivery.room_id, with_for_update=True)


def _end(delivery: WebhookDelivery, problem: str | None) -> None:
    """Nothing more is sent. What was said does not stay: sending again makes it anew."""
    delivery.due_at = delivery.body = None
    delivery.error = problem


def _note(
    session: Session, delivery: WebhookDelivery, answer: Answer | None, problem: str | None
) -> None:
    moment = now()
    delivery.status_code = answer.status if answer else None
    if problem is None:
        delivery.delivered_at = moment
        _end(delivery, None)
        return
    delivery.error = problem
    is_gone = answer is not None and answer.status == GONE
    if not is_gone and moment < delivery.expires_at:
        wait = FIRST_RETRY * 2 ** min(delivery.attempts - 1, 20)
        delivery.due_at = moment + min(max(wait, _asked_for(answer)), LONGEST_RETRY)
        return
    target = _target(session, delivery)
    # What is not there after three days waits with the rest until somebody has looked at it
    delivery.due_at = moment
    if target is not None:
        targets.pause(target, problem)
        log.warning("a webhook to %s is paused: %s", target.webhook_url, problem)


def _asked_for(answer: Answer | None) -> timedelta:
    """Return how long the receiver wants to be left alone, if it says so in seconds."""
    text = answer.headers.get("Retry-After", "") if answer else ""
    return (
        timedelta(seconds=int(text))
        if text.isascii() and text.isdigit() and len(text) < 7
        else timedelta()
    )
