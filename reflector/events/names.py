"""Names of the events of a transcript, as clients of the reference know them."""

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
    # Extra: clients of the reference ignore names that they do not know
    PROGRESS = "PROGRESS"

    @property
    def is_replayed(self) -> bool:
        """Whether a client that connects later gets it again."""
        return self not in (EventName.TRANSCRIPT, EventName.STATUS, EventName.PROGRESS)
