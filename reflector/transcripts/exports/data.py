"""Export everything as JSON with words; times are in seconds."""

from __future__ import annotations

from typing import Any

from reflector.transcript import formats
from reflector.transcripts.exports.document import Document


def data(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "title": document.title,
        "created_at": document.created_at.isoformat(),
        "duration": document.duration,
        "source_language": document.language,
        "target_language": document.target_language,
        "short_summary": document.short_summary,
        "long_summary": document.long_summary,
        "action_items": document.action_items,
        "participants": list(document.participants),
        "topics": list(document.topics),
        "segments": formats.json_segments(document.segments, document.names),
        "words": [word.timed() for word in document.words],
    }
