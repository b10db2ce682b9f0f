"""Define bodies of requests and responses about webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from reflector.errors import InvalidInput
from reflector.outgoing.client import parsed
from reflector.webhooks.events import WebhookEvent

SHORTEST_SECRET = 16


def webhook_address(url: str) -> str:
    """Return a URL without white space around it. Raises ValueError unless it is one, or empty."""
    plain = url.strip()
    if not plain:
        return ""
    try:
        parsed(plain)
    except InvalidInput as error:
        raise ValueError(error.message) from None
    return plain


def _needed_address(url: str) -> str:
    if not (plain := webhook_address(url)):
        raise ValueError("an address is needed")
    return plain


def _secret(text: str) -> str:
    plain = text.strip()
    if plain and (len(plain) < SHORTEST_SECRET or not plain.isascii() or not plain.isprintable()):
        raise ValueError(f"a secret has at least {SHORTEST_SECRET} letters, digits or signs")
    return plain


Url = Annotated[str, Field(max_length=2000), AfterValidator(_needed_address)]
Events = Annotated[list[WebhookEvent], Field(min_length=1)]


Parts = list[tuple[str, dict[str, Any]]] | None
"""A sentence to translate: texts with `{name}` in place of values, and the values."""


class WebhookRoom(BaseModel):
    id: str
    name: str


class Webhook(BaseModel):
    """A webhook of yours, or that of a room (`id` is then the room's).

    `previous_secret_until`: until when the secret before the last rotation signs, too. `problem`
    says why it is paused; None if a person did that.
    """

    id: str
    room: WebhookRoom | None
    url: str
    secret: str | None
    events: list[WebhookEvent]
    previous_secret_until: datetime | None
    paused_at: datetime | None
    problem: str | None
    problem_parts: Parts
    waiting: int = Field(description="deliveries that are not there yet")


class CreateWebhook(BaseModel):
    url: Url
    events: Events = list(WebhookEvent)
    secret: Annotated[str, Field(max_length=200), AfterValidator(_secret)] = ""


class UpdateWebhook(BaseModel):
    """What is sent is changed. `is_paused` false sends again what has waited."""

    url: Url | None = None
    events: Events | None = None
    is_paused: bool | None = None


class WebhookDelivery(BaseModel):
    """One event that was sent, or waits. `due_at`: the next attempt."""

    id: str
    event: str
    transcript_id: str
    state: Literal["waiting", "delivered", "failed"]
    created_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None
    attempts: int
    status_code: int | None
    error: str | None
    error_parts: Parts


class WebhookTestResult(BaseModel):
    success: bool
    message: str = ""
    error: str = ""
    status_code: int | None = None
    response_preview: str | None = None


class WebhookTest(WebhookTestResult):
    error_parts: Parts = None
