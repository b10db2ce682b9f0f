"""Translate the meeting if its target language is another one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.transcript.words import plain_text, segments
from reflector.translation.translator import base_language

# Progress is reported after each batch: a meeting of an hour has some hundreds of segments
SEGMENTS_AT_ONCE = 32


def depends(context: StepContext) -> list[Any]:
    translator = context.services.translator
    target = context.transcript.target_language
    if translator is None or target is None or _is_spoken_in(context, target):
        return [None, target]
    return [translator.identity(context.language, target), target]


def run(context: StepContext) -> Output:
    """Return `text` with a line for each segment; None if nothing was to be translated."""
    translator, target = context.services.translator, context.transcript.target_language
    nothing = {"text": None, "language": target, "model": None}
    if translator is None or target is None or not context.words:
        return nothing
    if _is_spoken_in(context, target):
        return nothing
    said = [segment.text for segment in segments(context.words)]
    lines: list[str] = []
    for first in range(0, len(said), SEGMENTS_AT_ONCE):
        part = "\n".join(said[first : first + SEGMENTS_AT_ONCE])
        lines.append(translator.translate(part, context.language, target))
        context.progress(min(1.0, (first + SEGMENTS_AT_ONCE) / len(said)))
    return {"text": "\n".join(lines), "language": target, "model": translator.name}


def _is_spoken_in(context: StepContext, target: str) -> bool:
    return base_language(target) == base_language(context.language)


def apply(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Outbox
) -> None:
    if output["text"]:
        said = {"text": plain_text(context.words), "translation": output["text"]}
        events.add(EventName.TRANSCRIPT, said)


STEP = StepDefinition(
    StepName.TRANSLATE,
    Queue.LANGUAGE,
    run,
    needs=(StepName.ASSEMBLE,),
    optional=True,
    apply=apply,
    depends=depends,
)
