"""Collect what every export is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reflector.transcript.formats import Names, minutes
from reflector.transcript.words import Segment, Word

ACTIONS = {
    "Decisions": ("decisions", "decision", ("decided_by",)),
    "Next steps": ("next_steps", "task", ("assigned_to", "deadline")),
}


@dataclass(frozen=True)
class Options:
    """What to write before what people said."""

    times: bool = True
    names: bool = True


@dataclass(frozen=True)
class Document:
    """A transcript with all results; `duration` is in seconds. `names` has one for each speaker."""

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

    def lead(self, segment: Segment, options: Options) -> tuple[str, str]:
        """Return name and time to write before a segment; empty if they are not wanted."""
        name = self.names[segment.speaker] if options.names else ""
        return name, f"[{minutes(segment.start)}]" if options.times else ""

    def actions(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield headings, each with decisions or tasks, and by whom or when."""
        for heading, (key, main, details) in ACTIONS.items():
            items = [
                (str(item[main]), ", ".join(_details(item, details)))
                for item in self.action_items.get(key) or ()
            ]
            if items:
                yield heading, items


UNSAFE = re.compile(r"[^\w\- ]+")


def file_name(title: str) -> str:
    """Return the name of a file for this title, without the part after its dot."""
    return UNSAFE.sub("", title).strip()[:100] or "transcript"


def _details(item: Mapping[str, Any], keys: Sequence[str]) -> Iterator[str]:
    yield from (str(item[key]) for key in keys if item.get(key))
    if item.get("done"):
        yield "done"
