"""Format results as the reference's service does, and for our own workers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from reflector.speech.engines import Diarization, Transcription
from reflector.speech_service.work import report_of
from reflector.transcript.assembly import Turn
from reflector.transcript.words import Word, plain_text, unsure_rows


def reference(result: Transcription, offset: float = 0.0) -> dict[str, Any]:
    """Return the reference's answer.

    Times are rounded to 2 decimals; no word ends after the next begins.
    """
    return {
        "text": plain_text(result.words),
        "words": [
            {"word": w.text, "start": round(w.start + offset, 2), "end": round(w.end + offset, 2)}
            for w in _without_overlaps(result.words)
        ],
        "language": result.language,
        "report": report_of(result),
    }


def transcription(result: Transcription) -> dict[str, Any]:
    """Return all results for our own workers; words are `[text, start, end, speaker]`."""
    return {
        "words": [word.row() for word in result.words],
        "unsure": unsure_rows(result.words),
        "language": result.language,
        "speech_seconds": result.speech_seconds,
        "warnings": result.warnings,
        "report": report_of(result),
    }


def diarization(
    found: Diarization, offset: float = 0.0, *, voices: bool = False, overlap: bool = False
) -> dict[str, Any]:
    """Return the reference's answer with a report of the engine, and `voices` on request.

    With `overlap`, the turns are those of everyone who speaks at a time, otherwise of one speaker.
    """
    report = report_of(found)
    turns = found.overlapping if overlap else found.turns
    body: dict[str, Any] = {"diarization": _turns(turns, offset), "report": report}
    if voices:
        body["voices"] = [
            {"speaker": speaker, "model": report["model"], "embedding": embedding}
            for speaker, embedding in found.voices.items()
        ]
    return body


def diarization_job(found: Diarization) -> dict[str, Any]:
    """Return all results of a diarization for our own workers."""
    return {**diarization(found, voices=True), "overlapping": _turns(found.overlapping)}


def _turns(turns: Sequence[Turn], offset: float = 0.0) -> list[dict[str, float]]:
    return [
        {
            "start": round(turn.start + offset, 3),
            "end": round(turn.end + offset, 3),
            "speaker": turn.speaker,
        }
        for turn in turns
    ]


def _without_overlaps(words: Sequence[Word]) -> list[Word]:
    clamped = [word._replace(end=min(word.end, after.start)) for word, after in pairwise(words)]
    return [*clamped, *words[-1:]]
