"""Undo an edit, where nobody has changed the same since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from reflector.db.edits import FIELDS, forget_words, note_field, note_range, note_words
from reflector.db.models import Edit, Transcript
from reflector.db.words import load_words
from reflector.errors import N_, Conflict, InvalidInput
from reflector.pipeline.runs import is_active, steps_of
from reflector.transcript.words import Word, from_rows, plain_text
from reflector.transcripts import history, participants
from reflector.transcripts.changes import save_words
from reflector.transcripts.corrections import move_topics
from reflector.transcripts.history import Draft

CHANGED_SINCE = N_("This was changed again since. Undo the later change first.")
NEW_RUN = N_("The recording was processed again since, so these words are no longer there.")


def undo(session: Session, transcript: Transcript, edit: Edit, draft: Draft) -> None:
    """Restore what `edit` changed. Raises Conflict if it is no longer what the edit made of it."""
    for part, before in edit.before.items():
        after = edit.after[part]
        if part in history.FIELDS:
            _undo_field(transcript, part, before, after, edit.marks)
        elif part == "participants":
            if participants.as_rows(session, transcript.id) != after:
                raise Conflict(CHANGED_SINCE)
            participants.replace(session, transcript.id, before)
        else:
            _undo_words(session, transcript, edit, part, draft)


def _undo_field(
    transcript: Transcript, name: str, before: Any, after: Any, marks: dict[str, Any] | None
) -> None:
    if getattr(transcript, name) != after:
        raise Conflict(CHANGED_SINCE)
    setattr(transcript, name, before)
    # What the analysis wrote is the next run's to write again
    is_own = name in FIELDS and name in (marks or {}).get("fields", [])
    note_field(transcript, name, before if is_own else None)


def _undo_words(
    session: Session, transcript: Transcript, edit: Edit, part: str, draft: Draft
) -> None:
    if edit.run != transcript.shown_run:
        raise Conflict(NEW_RUN)
    if is_active(steps_of(session, transcript.id, transcript.last_run)):
        raise InvalidInput("The recording is being processed. Undo this after that.")
    words = load_words(session, transcript.id, transcript.shown_run)
    places = list(zip(edit.before[part], edit.after[part], strict=True))
    if part == "speakers":
        restored = _with_speakers(transcript, words, places)
        draft.add_speakers(words, restored)
    else:
        restored = words
        for before, after in ((from_rows(a), from_rows(b)) for a, b in places):
            first = _place(restored, before, after)
            last = first + len(after)
            _mark(transcript, before, after, edit.marks)
            move_topics(session, transcript, first, last, len(before))
            draft.add_place(after, before)
            restored = [*restored[:first], *before, *restored[last:]]
    save_words(session, transcript, restored)


def _with_speakers(
    transcript: Transcript, words: Sequence[Word], spans: Sequence[tuple[list[Any], list[Any]]]
) -> list[Word]:
    """Return `words` with the speakers from before, for each `(before, after)` of `spans`."""
    result = list(words)
    for (start, end, speaker), (*_, changed) in spans:
        for n, word in enumerate(words):
            if start <= word.start <= end:
                if word.speaker != changed:
                    raise Conflict(CHANGED_SINCE)
                result[n] = word._replace(speaker=speaker)
        note_range(transcript, start, end, speaker)
    return result


def _place(words: Sequence[Word], before: Sequence[Word], after: Sequence[Word]) -> int:
    """Return where `after` is in `words`; if it is empty, where `before` was."""
    if not after:
        return next((n for n, w in enumerate(words) if w.start > before[0].start), len(words))
    for n, word in enumerate(words):
        if word == after[0] and list(words[n : n + len(after)]) == list(after):
            return n
    raise Conflict(CHANGED_SINCE)


def _mark(
    transcript: Transcript,
    before: Sequence[Word],
    after: Sequence[Word],
    marks: dict[str, Any] | None,
) -> None:
    """Let the next run keep `before` only if people had corrected it already."""
    known = before or after
    start, end = known[0].start, known[-1].end
    if any(a <= end and start <= b for a, b, _ in (marks or {}).get("words", [])):
        note_words(transcript, start, end, plain_text(before))
    else:
        forget_words(transcript, start, end)
