"""The step that translates what was said, where the target language is not that of the recording."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.record import Recorder
from reflector.pipeline.context import Output, StepContext
from reflector.transcript.words import plain_text, segments
from reflector.translation.translator import base_language

# Progress is told after each: a meeting of an hour has some hundreds of segments
SEGMENTS_AT_ONCE = 32


def translate_depends(context: StepContext) -> list[Any]:
    translator = context.services.translator
    return [translator.name if translator else None, context.transcript.target_language]


def run_translate(context: StepContext) -> Output:
    """`text`: a line for each segment of a speaker; None where nothing was to be translated."""
    translator, target = context.services.translator, context.transcript.target_language
    nothing = {"text": None, "language": target, "model": None}
    if translator is None or target is None or not context.words:
        return nothing
    if base_language(target) == base_language(context.language):
        return nothing
    said = [segment.text for segment in segments(context.words)]
    lines: list[str] = []
    for first in range(0, len(said), SEGMENTS_AT_ONCE):
        part = "\n".join(said[first : first + SEGMENTS_AT_ONCE])
        lines.append(translator.translate(part, context.language, target))
        context.progress(min(1.0, (first + SEGMENTS_AT_ONCE) / len(said)))
    return {"text": "\n".join(lines), "language": target, "model": translator.name}


def show_translation(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Recorder
) -> None:
    if output["text"]:
        said = {"text": plain_text(context.words), "translation": output["text"]}
        events.add(EventName.TRANSCRIPT, said)
