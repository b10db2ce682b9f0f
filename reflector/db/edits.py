"""Record which parts of a transcript people have changed, so that a new run keeps them.

`Transcript.edits` is `{"fields": [column, …], "ranges": [[start, end, speaker], …], "merged":
[speaker, …], "words": [[start, end, text], …]}`, or None if nothing was changed.
"""

from __future__ import annotations

from typing import Any

from reflector.db.models import Transcript

FIELDS = ("title", "short_summary", "long_summary", "action_items")


def is_edited(transcript: Transcript, field: str) -> bool:
    return field in (transcript.edits or {}).get("fields", [])


def edited_parts(transcript: Transcript) -> list[str]:
    """Return the changed fields, `speakers` if someone assigned or merged some, and `words`."""
    edits = transcript.edits or {}
    speakers = ["speakers"] if edits.get("ranges") or edits.get("merged") else []
    words = ["words"] if edits.get("words") else []
    return [*edits.get("fields", []), *speakers, *words]


def note_field(transcript: Transcript, field: str, value: Any) -> None:
    """Record that someone set `field`. None returns the field to the next run."""
    if field not in FIELDS:
        return
    kept = {each for each in FIELDS if is_edited(transcript, each)} - {field}
    if value is not None:
        kept.add(field)
    _set(transcript, fields=sorted(kept))


def note_range(transcript: Transcript, start: float, end: float, speaker: int) -> None:
    """Record that the words that start in `[start, end]` belong to `speaker`."""
    _put_span(transcript, "ranges", [start, end, speaker])


def note_words(transcript: Transcript, start: float, end: float, text: str) -> None:
    """Record that someone corrected what was said in `[start, end]`, in seconds, to `text`."""
    _put_span(transcript, "words", [start, end, text])


def forget_words(transcript: Transcript, start: float, end: float) -> None:
    """Drop the correction of exactly the words in `[start, end]`."""
    known = (transcript.edits or {}).get("words", [])
    _set(transcript, words=[each for each in known if each[:2] != [start, end]])


def note_merge(transcript: Transcript, source: int, target: int) -> None:
    """Record that all words of `source` belong to `target`."""
    edits = transcript.edits or {}
    ranges = [[a, b, target if s == source else s] for a, b, s in edits.get("ranges", [])]
    merged = {target if each == source else each for each in edits.get("merged", [])}
    _set(transcript, ranges=ranges, merged=sorted({*merged, target}))


def _put_span(transcript: Transcript, part: str, span: list[Any]) -> None:
    """Add `[start, end, value]` to `part`; it overrides every span inside it."""
    start, end, _ = span
    known = (transcript.edits or {}).get(part, [])
    left = [each for each in known if not (start <= each[0] and each[1] <= end)]
    _set(transcript, **{part: [*left, span]})


def _set(transcript: Transcript, **parts: Any) -> None:
    """Assign a new dict: SQLAlchemy does not notice changes inside the old one."""
    merged = {**(transcript.edits or {}), **parts}
    transcript.edits = {name: value for name, value in merged.items() if value} or None
