"""Report all that is known of a finished transcript, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reflector.db.models import Step, Transcript
from reflector.pipeline.step import StepName
from reflector.transcript.words import Word


def report(
    file: Path,
    transcript: Transcript,
    topics: Sequence[Mapping[str, Any]],
    words: Sequence[Word],
    steps: Mapping[StepName, Step],
    outputs: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return all that is known of a transcript as JSON-ready data; times are in seconds."""
    return {
        "file": str(file),
        "duration": transcript.duration / 1000,
        "language": outputs["transcribe"].get("language"),
        "title": transcript.title,
        "short_summary": transcript.short_summary,
        "long_summary": transcript.long_summary,
        "action_items": transcript.action_items,
        "method": {
            name: outputs[name].get("method") for name in ("topics", "title", "summary", "actions")
        },
        "topics": [
            {key: topic[key] for key in ("title", "summary", "timestamp", "duration")}
            for topic in topics
        ],
        "speakers": len({word.speaker for word in words}),
        "words": [
            {"text": w.text.strip(), "start": w.start, "end": w.end, "speaker": w.speaker}
            for w in words
        ],
        "engines": {
            name: output["engine"] for name, output in outputs.items() if output.get("engine")
        },
        "seconds": {name.value: _seconds(step) for name, step in steps.items()},
        "warnings": [w for output in outputs.values() for w in output.get("warnings", [])]
        + [step.error for step in steps.values() if step.error],
    }


def _seconds(step: Step) -> float | None:
    if step.started_at is None or step.finished_at is None:
        return None
    return round((step.finished_at - step.started_at).total_seconds(), 3)
