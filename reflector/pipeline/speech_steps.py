"""Steps on speech: transcribe, diarize, assemble."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.db.words import store_words
from reflector.events.names import EventName
from reflector.events.record import Recorder
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.specs import StepName
from reflector.speech.engines import (
    DiarizeOptions,
    EngineReport,
    TranscribeOptions,
    chosen_language,
)
from reflector.transcript.assembly import Turn, assign_speakers, numbered_by_appearance
from reflector.transcript.words import from_rows, plain_text


def transcribe_options(context: StepContext) -> TranscribeOptions:
    return TranscribeOptions(
        language=chosen_language(context.transcript.source_language),
        hotwords=context.services.settings.HOTWORDS,
    )


def transcribe_depends(context: StepContext) -> list[Any]:
    options = transcribe_options(context)
    chosen = {"language": options.language, "hotwords": options.hotwords}
    return [context.services.speech.transcriber.name, chosen]


def run_transcribe(context: StepContext) -> Output:
    transcriber = context.services.speech.transcriber
    result = transcriber.transcribe(context.pcm(), transcribe_options(context), context.seconds)
    warnings = list(result.warnings)
    if not result.words:
        warnings.append("No speech was found in the recording.")
    return {
        "words": [word.row() for word in result.words],
        "language": result.language,
        "speech_seconds": round(result.speech_seconds, 2),
        "engine": _report(result.report),
        "warnings": warnings,
    }


def diarize_options(context: StepContext) -> DiarizeOptions:
    limits = context.services.speech.speakers
    return DiarizeOptions(limits[0], limits[1])


def diarize_depends(context: StepContext) -> list[Any]:
    diarizer = context.services.speech.diarizer
    return [diarizer.name if diarizer else None, asdict(diarize_options(context))]


def run_diarize(context: StepContext) -> Output:
    diarizer = context.services.speech.diarizer
    if diarizer is None:
        return {"turns": [], "speakers": 0, "warnings": []}
    result = diarizer.diarize(context.pcm(), diarize_options(context), context.seconds)
    return {
        "turns": [[round(t.start, 3), round(t.end, 3), t.speaker] for t in result.turns],
        "speakers": result.speakers,
        "engine": _report(result.report),
        "warnings": [],
    }


def _report(report: EngineReport) -> dict[str, Any]:
    return {**asdict(report), "real_time_factor": round(report.real_time_factor, 4)}


def run_assemble(context: StepContext) -> Output:
    words = from_rows(context.output(StepName.TRANSCRIBE)["words"])
    turns = [Turn(*row) for row in context.outputs.get(StepName.DIARIZE, {}).get("turns", [])]
    assigned = numbered_by_appearance(assign_speakers(words, turns))
    return {"words": [word.row() for word in assigned]}


def apply_assemble(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Recorder
) -> None:
    words = from_rows(output["words"])
    store_words(session, transcript.id, context.run, words)
    text = plain_text(words)
    events.add(EventName.TRANSCRIPT, {"text": text, "translation": None})
