"""Collect what every export is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reflector.transcript.formats import Names, speaker_name
from reflector.transcript.words import Segment, Word

ACTIONS = {
    "Decisions": ("decisions", "decision", ("decided_by",)),
    "Next steps": ("next_steps", "task", ("assigned_to", "deadline")),
}


@dataclass(frozen=True)
class Document:
    """A transcript with all results; `duration` is in seconds."""

    id: str
    title: str
    created_at: datetime
    duration: float
    language: str | None
    target_language: str | None
    short_summary: str | None
    long_summary: str | None
    action_items: Mapping[str, Any]
    topics: Sequence[Mapping[str, Any]]
    participants: Sequence[Mapping[str, Any]]
    names: Names
    segments: Sequence[Segment]
    words: Sequence[Word] = field(default=())

    def name(self, speaker: int) -> str:
        return speaker_name(self.names, speaker)

    def actions(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield headings, each with decisions or tasks, and by whom or when."""
        for heading, (key, main, details) in ACTIONS.items():
            items = [
                (str(item[main]), ", ".join(str(item[d]) for d in details if item.get(d)))
                for item in self.action_items.get(key) or ()
            ]
            if items:
                yield heading, items
