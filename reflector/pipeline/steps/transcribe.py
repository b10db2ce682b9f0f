"""Recognise the words of the decoded recording, with their times."""

from __future__ import annotations

from typing import Any

import numpy as np

from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.options import transcribe_options
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import EngineReport, TranscribeOptions
from reflector.transcript.tracks import without_bleed
from reflector.transcript.words import Word, unsure_rows


def _options(context: StepContext) -> TranscribeOptions:
    return transcribe_options(context.options, context.services.settings)


def depends(context: StepContext) -> list[Any]:
    options = _options(context)
    chosen = {"language": options.language, "hotwords": options.hotwords}
    return [context.services.speech.transcriber.identity(), chosen]


def run(context: StepContext) -> Output:
    """Return the words; the speaker of each is the number of its track."""
    transcriber, options = context.services.speech.transcriber, _options(context)
    results = context.for_each_track(
        lambda audio, report: transcriber.transcribe(audio, options, report)
    )
    words = _words([result.words for result in results], context.tracks())
    warnings = list(dict.fromkeys(text for result in results for text in result.warnings))
    if not words:
        warnings.append("No speech was found in the recording.")
    return {
        "words": [word.row() for word in words],
        "unsure": unsure_rows(words),
        "tracks": len(results),
        "language": max(results, key=lambda result: result.speech_seconds).language,
        "speech_seconds": round(sum(result.speech_seconds for result in results), 2),
        "engine": EngineReport.of_all([result.report for result in results]).as_json(),
        "warnings": warnings,
    }


def _words(found: list[list[Word]], tracks: list[PcmAudio]) -> list[Word]:
    if len(tracks) == 1:
        return found[0]

    def level(number: int, start: float, end: float) -> float:
        samples = tracks[number].read(int(start * SAMPLE_RATE), int(end * SAMPLE_RATE) + 1)
        return float(np.square(samples).mean()) if len(samples) else 0.0

    return [
        word._replace(speaker=number)
        for number, words in enumerate(without_bleed(found, level))
        for word in words
    ]


STEP = StepDefinition(
    StepName.TRANSCRIBE, Queue.SPEECH, run, needs=(StepName.DECODE,), depends=depends
)
