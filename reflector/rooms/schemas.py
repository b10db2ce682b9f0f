"""Define bodies of requests and responses about rooms, with the same fields as the reference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from reflector.outgoing.mailbox import mailbox
from reflector.rooms.names import checked
from reflector.webhooks.schemas import webhook_address

Platform = Literal["whereby", "daily", "livekit", "in-person"]
MODES = ("normal", "group")
RECORDING_TYPES = ("none", "local", "cloud")
TRIGGERS = ("none", "prompt", "automatic", "automatic-2nd-participant")
SHORTEST_INTERVAL = 60
LONGEST_INTERVAL = 7 * 24 * 3600
MOST_RECIPIENTS = 50


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"must be one of {', '.join(values)}")
        return value

    return check


def _address(url: str) -> str:
    """Return a URL without white space around it; an empty one is none."""
    plain = url.strip()
    if plain and not plain.startswith(("http://", "https://", "webcal://")):
        raise ValueError("must begin with https:// or http://")
    return plain


def _interval(seconds: int) -> int:
    if not SHORTEST_INTERVAL <= seconds <= LONGEST_INTERVAL:
        raise ValueError(f"must be {SHORTEST_INTERVAL} to {LONGEST_INTERVAL} seconds")
    return seconds


def _mailboxes(text: str) -> str:
    """Return e-mail addresses, separated by commas. Raises ValueError if one is none."""
    found = [each.strip() for each in text.split(",") if each.strip()]
    if len(found) > MOST_RECIPIENTS:
        raise ValueError(f"a room sends to {MOST_RECIPIENTS} addresses at most")
    return ", ".join(mailbox(each) for each in found)


RoomName = Annotated[str, AfterValidator(checked)]
Mode = Annotated[str, AfterValidator(_one_of(MODES))]
RecordingType = Annotated[str, AfterValidator(_one_of(RECORDING_TYPES))]
Trigger = Annotated[str, AfterValidator(_one_of(TRIGGERS))]
WebhookAddress = Annotated[str, Field(max_length=2000), AfterValidator(webhook_address)]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]
Interval = Annotated[int, AfterValidator(_interval)]
Mailboxes = Annotated[str, Field(max_length=2000), AfterValidator(_mailboxes)]
Short = Annotated[str, Field(max_length=200)]


class Room(BaseModel):
    """A room. `ics_fetch_interval` is in seconds.

    Others than the owner get None for what is secret: webhook, calendar, recipients.
    """

    id: str
    name: str
    user_id: str
    created_at: datetime
    zulip_auto_post: bool
    zulip_stream: str
    zulip_topic: str
    is_locked: bool
    room_mode: str
    recording_type: str
    recording_trigger: str
    is_shared: bool
    ics_url: str | None = None
    ics_fetch_interval: int = 300
    ics_enabled: bool = False
    ics_last_sync: datetime | None = None
    ics_last_etag: str | None = None
    platform: Platform
    skip_consent: bool = False
    email_transcript_to: str | None = None
    store_video: bool = False


class RoomDetails(Room):
    webhook_url: str | None
    webhook_secret: str | None


class CreateRoom(BaseModel):
    name: RoomName
    zulip_auto_post: bool
    zulip_stream: Short
    zulip_topic: Short
    is_locked: bool
    room_mode: Mode
    recording_type: RecordingType
    recording_trigger: Trigger
    is_shared: bool
    webhook_url: WebhookAddress
    webhook_secret: Short
    ics_url: Address | None = None
    ics_fetch_interval: Interval = 300
    ics_enabled: bool = False
    platform: Platform
    skip_consent: bool = False
    email_transcript_to: Mailboxes | None = None
    store_video: bool = False


class UpdateRoom(BaseModel):
    name: RoomName | None = None
    zulip_auto_post: bool | None = None
    zulip_stream: Short | None = None
    zulip_topic: Short | None = None
    is_locked: bool | None = None
    room_mode: Mode | None = None
    recording_type: RecordingType | None = None
    recording_trigger: Trigger | None = None
    is_shared: bool | None = None
    webhook_url: WebhookAddress | None = None
    webhook_secret: Short | None = None
    ics_url: Address | None = None
    ics_fetch_interval: Interval | None = None
    ics_enabled: bool | None = None
    platform: Platform | None = None
    skip_consent: bool | None = None
    email_transcript_to: Mailboxes | None = None
    store_video: bool | None = None
