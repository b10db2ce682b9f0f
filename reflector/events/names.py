"""Name the events of a transcript, as clients of the reference know them."""

from __future__ import annotations

from enum import StrEnum


class EventName(StrEnum):
    TRANSCRIPT = "TRANSCRIPT"
    TOPIC = "TOPIC"
    STATUS = "STATUS"
    FINAL_TITLE = "FINAL_TITLE"
    FINAL_SHORT_SUMMARY = "FINAL_SHORT_SUMMARY"
    FINAL_LONG_SUMMARY = "FINAL_LONG_SUMMARY"
    ACTION_ITEMS = "ACTION_ITEMS"
    DURATION = "DURATION"
    WAVEFORM = "WAVEFORM"
    # Extras: clients of the reference ignore unknown names
    PROGRESS = "PROGRESS"
    HEARTBEAT = "HEARTBEAT"
    CHANGED = "CHANGED"
    LIVE = "LIVE"
    # Live text of which the final text has taken the place; nobody is sent it
    LIVE_KEPT = "LIVE_KEPT"

    @property
    def is_replayed(self) -> bool:
        """Return whether a client that connects later gets the event in its replay."""
        return self not in _NOT_REPLAYED


_NOT_REPLAYED = {
    EventName.TRANSCRIPT, EventName.STATUS, EventName.PROGRESS, EventName.HEARTBEAT, EventName.CHANGED,
    EventName.LIVE_KEPT,
}  # fmt: skip


class UserEventName(StrEnum):
    """Events that the owner of a transcript gets on their own channel."""

    TRANSCRIPT_CREATED = "TRANSCRIPT_CREATED"
    TRANSCRIPT_DELETED = "TRANSCRIPT_DELETED"
    TRANSCRIPT_RESTORED = "TRANSCRIPT_RESTORED"
    TRANSCRIPT_STATUS = "TRANSCRIPT_STATUS"
    TRANSCRIPT_FINAL_TITLE = "TRANSCRIPT_FINAL_TITLE"
    TRANSCRIPT_DURATION = "TRANSCRIPT_DURATION"
    # Extra: an account's logins ended
    SIGNED_OUT = "SIGNED_OUT"


MIRRORED = {
    EventName.STATUS: UserEventName.TRANSCRIPT_STATUS,
    EventName.FINAL_TITLE: UserEventName.TRANSCRIPT_FINAL_TITLE,
    EventName.DURATION: UserEventName.TRANSCRIPT_DURATION,
}
