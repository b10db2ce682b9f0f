"""Recognise the words of the decoded recording, with their times."""

from __future__ import annotations

from typing import Any

from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.options import transcribe_options
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import TranscribeOptions
from reflector.transcript.words import unsure_rows


def _options(context: StepContext) -> TranscribeOptions:
    return transcribe_options(context.options, context.services.settings)


def depends(context: StepContext) -> list[Any]:
    options = _options(context)
    chosen = {"language": options.language, "hotwords": options.hotwords}
    return [context.services.speech.transcriber.identity(), chosen]


def run(context: StepContext) -> Output:
    transcriber = context.services.speech.transcriber
    result = transcriber.transcribe(context.pcm(), _options(context), context.seconds)
    warnings = list(result.warnings)
    if not result.words:
        warnings.append("No speech was found in the recording.")
    return {
        "words": [word.row() for word in result.words],
        "unsure": unsure_rows(result.words),
        "language": result.language,
        "speech_seconds": round(result.speech_seconds, 2),
        "engine": result.report.as_json(),
        "warnings": warnings,
    }


STEP = StepDefinition(
    StepName.TRANSCRIBE, Queue.SPEECH, run, needs=(StepName.DECODE,), depends=depends
)
