"""Recognise the words of the decoded recording, with their times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.options import transcribe_options
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import EngineReport, TranscribeOptions, Transcription
from reflector.transcript.bleed import without_bleed
from reflector.transcript.words import Word, unsure_rows

# The energy of a shorter word is measured over so many seconds around it
LEVEL_SECONDS = 0.2
# With less speech in a track, its language is that of the other one
SURE_SECONDS = 30.0


def _options(context: StepContext) -> TranscribeOptions:
    return transcribe_options(context.options, context.services.settings)


def depends(context: StepContext) -> list[Any]:
    options = _options(context)
    chosen = {"language": options.language, "hotwords": options.hotwords}
    return [context.services.speech.transcriber.identity(), chosen, *context.channels]


def run(context: StepContext) -> Output:
    """Return the words; the speaker of each is the number of its track."""
    transcriber, options = context.services.speech.transcriber, _options(context)
    results = context.for_each_track(
        lambda audio, report: transcriber.transcribe(audio, options, report)
    )
    if options.language is None:
        results = _in_one_language(context, options, results)
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
        wider = max(0.0, LEVEL_SECONDS - (end - start)) / 2
        samples = tracks[number].read(
            int((start - wider) * SAMPLE_RATE), int((end + wider) * SAMPLE_RATE)
        )
        return float(np.square(samples).mean()) if len(samples) else 0.0

    words = [
        word._replace(speaker=number)
        for number, own in enumerate(without_bleed(found, level))
        for word in own
    ]
    return sorted(words, key=lambda word: word.start)


def _in_one_language(
    context: StepContext, options: TranscribeOptions, results: list[Transcription]
) -> list[Transcription]:
    """Recognise tracks again in which too little is said to know their language."""
    transcriber = context.services.speech.transcriber
    sure = max(results, key=lambda result: result.speech_seconds)
    return [
        result
        if result.language == sure.language or result.speech_seconds >= SURE_SECONDS
        else transcriber.transcribe(
            audio, replace(options, language=sure.language), lambda _: context.keep()
        )
        for audio, result in zip(context.tracks(), results, strict=True)
    ]


STEP = StepDefinition(
    StepName.TRANSCRIBE, Queue.SPEECH, run, needs=(StepName.DECODE,), depends=depends
)
