"""Prepare what a page about a transcript shows before, or without, its script."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from reflector.db.models import Status, Transcript
from reflector.db.words import load_segments
from reflector.errors import N_
from reflector.localization import gettext
from reflector.transcript.formats import UNNAMED, minutes, shown_name
from reflector.transcripts import queries

# About two hours of speech; the script shows the rest
MAX_CHARACTERS = 120_000
# In summaries: the headings that all of them have, and Markdown syntax
MARKDOWN = re.compile(r"^# (Quick recap|Summary)\n+|^#+ |\*\*", re.MULTILINE)
STATUS = {
    Status.RECORDING: N_("Recording"),
    Status.PROCESSING: N_("Working"),
    Status.ERROR: N_("Problem"),
    Status.ENDED: N_("Ready"),
}


@dataclass(frozen=True)
class ShownTurn:
    """What a speaker said, from `start` (`01:15`) on."""

    name: str
    start: str
    text: str


@dataclass(frozen=True)
class FirstView:
    title: str
    summary: str
    status: str
    share_mode: str
    turns: list[ShownTurn]
    is_cut: bool


def first_view(session: Session, transcript: Transcript) -> FirstView:
    """Return title, summary and turns in the current language, cut after MAX_CHARACTERS."""
    names = queries.names_of(queries.participants_of(session, transcript.id))
    turns, characters, is_cut = [], 0, False
    for segment in load_segments(session, transcript.id, transcript.shown_run):
        characters += len(segment.text)
        if characters > MAX_CHARACTERS:
            is_cut = True
            break
        name = shown_name(names, segment.speaker, gettext(UNNAMED))
        start = minutes(segment.start)
        turns.append(ShownTurn(name, start, segment.text.strip()))
    return FirstView(
        title=queries.title_of(transcript),
        summary=MARKDOWN.sub("", transcript.long_summary or "").strip(),
        status=STATUS.get(Status(transcript.status), ""),
        share_mode=transcript.share_mode,
        turns=turns,
        is_cut=is_cut,
    )
