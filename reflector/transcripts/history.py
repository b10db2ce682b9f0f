"""Record who changed what in a transcript.

An edit has its parts as they were before and as they are after:

| part | value |
|---|---|
| one of `FIELDS` | the value of the column |
| `participants` | all participants |
| `speakers` | `[[start, end, speaker], …]`: whose the words are that start there, in seconds |
| `words` | `[[row, …], …]`: the words of each place that was corrected |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.db.models import Edit, Transcript, User
from reflector.transcript.formats import shown_name
from reflector.transcript.words import Word, from_rows, plain_text
from reflector.transcripts import participants

FIELDS = ("name", "title", "short_summary", "long_summary", "action_items", "reviewed")
SHOWN = 200


@dataclass
class Draft:
    """The parts of an edit that is being made."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def add(self, part: str, before: Any, after: Any) -> None:
        if before != after:
            self.before[part], self.after[part] = before, after

    def add_place(self, before: Sequence[Word], after: Sequence[Word]) -> None:
        """Add corrected words."""
        for parts, words in ((self.before, before), (self.after, after)):
            parts.setdefault("words", []).append([word.row() for word in words])

    def add_speakers(self, before: Sequence[Word], after: Sequence[Word]) -> None:
        """Add new speakers of the same words."""
        pairs = [
            (old.speaker, new.speaker, old.start) for old, new in zip(before, after, strict=True)
        ]
        spans = [
            (old, new, [start for *_, start in run])
            for (old, new), run in groupby(pairs, key=lambda pair: pair[:2])
            if old != new
        ]
        self.add(
            "speakers",
            [[starts[0], starts[-1], old] for old, _, starts in spans],
            [[starts[0], starts[-1], new] for _, new, starts in spans],
        )


@dataclass(frozen=True)
class Snapshot:
    """What a transcript is before somebody changes it."""

    fields: dict[str, Any]
    people: list[dict[str, Any]]
    marks: dict[str, Any] | None

    @classmethod
    def take(cls, session: Session, transcript: Transcript) -> Snapshot:
        fields = {name: getattr(transcript, name) for name in FIELDS}
        people = participants.as_rows(session, transcript.id)
        return cls(fields, people, transcript.edits)


def note(
    session: Session,
    transcript: Transcript,
    user_id: str | None,
    was: Snapshot,
    draft: Draft,
) -> None:
    """Store as an edit what is different from `was`, and the words of `draft`."""
    session.flush()
    for name, value in was.fields.items():
        draft.add(name, value, getattr(transcript, name))
    draft.add("participants", was.people, participants.as_rows(session, transcript.id))
    if draft.before:
        session.add(
            Edit(
                transcript_id=transcript.id,
                user_id=user_id,
                before=draft.before,
                after=draft.after,
                marks=was.marks,
                run=transcript.shown_run,
            )
        )


def edits_of(session: Session, transcript_id: str) -> list[dict[str, Any]]:
    """Return the newest SHOWN edits, the newest first, in words that people can read."""
    rows = session.execute(
        select(Edit, User.email)
        .outerjoin(User, User.id == Edit.user_id)
        .where(Edit.transcript_id == transcript_id)
        .order_by(Edit.id.desc())
        .limit(SHOWN)
    )
    return [
        {
            "id": edit.id,
            "at": edit.created_at.isoformat(),
            "by": email,
            "changes": [_change(part, edit) for part in edit.before],
        }
        for edit, email in rows
    ]


def _change(part: str, edit: Edit) -> dict[str, Any]:
    before, after = edit.before[part], edit.after[part]
    at = None
    if part == "words":
        at = next((place[0][1] for place in [*before, *after] if place), None)
    elif part == "speakers":
        at = before[0][0]
    return {
        "part": part,
        "at_seconds": at,
        "before": _text(part, before),
        "after": _text(part, after),
    }


def _text(part: str, value: Any) -> str:
    if part == "words":
        return " … ".join(plain_text(from_rows(place)) for place in value)
    if part == "speakers":
        return ", ".join(sorted({shown_name({}, speaker) for *_, speaker in value}))
    if part == "participants":
        return ", ".join(person["name"] for person in value)
    if part == "action_items":
        entries = [*(value or {}).get("decisions", []), *(value or {}).get("next_steps", [])]
        return "\n".join(str(entry.get("decision") or entry.get("task")) for entry in entries)
    if part == "reviewed":
        return "checked" if value else "not checked"
    return str(value or "")
