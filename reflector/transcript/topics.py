"""Format a topic as the API and the events do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from reflector.transcript.words import Word, plain_text, segments


class TopicRow(Protocol):
    """The columns that a view needs; times are in seconds."""

    id: Any
    title: Any
    summary: Any
    timestamp: Any
    duration: Any


def topic_view(topic: TopicRow, words: Sequence[Word]) -> dict[str, Any]:
    """Return a topic as `GetTranscriptTopic` of the reference."""
    return {
        "id": topic.id,
        "title": topic.title,
        "summary": topic.summary,
        "timestamp": topic.timestamp,
        "duration": topic.duration,
        "transcript": plain_text(words),
        "segments": [
            {"text": s.text, "start": s.start, "speaker": s.speaker} for s in segments(words)
        ],
    }
