"""Tell the speakers of the decoded recording apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import DiarizeOptions
from reflector.transcript.assembly import Turn


def _options(context: StepContext) -> DiarizeOptions:
    """Return the limits of the recording, and those of the server where it has none.

    A limit of the server that does not fit to one of the recording is left out.
    """
    least, most = context.services.speech.speakers
    own = context.options.speakers
    if own is None:
        return DiarizeOptions(least, most)
    if own.max_speakers and least and least > own.max_speakers:
        least = None
    if own.min_speakers and most and most < own.min_speakers:
        most = None
    return DiarizeOptions(own.min_speakers or least, own.max_speakers or most)


def depends(context: StepContext) -> list[Any]:
    diarizer = context.services.speech.diarizer
    return [diarizer.identity() if diarizer else None, asdict(_options(context))]


def run(context: StepContext) -> Output:
    diarizer = context.services.speech.diarizer
    if diarizer is None:
        return {"turns": [], "overlapping": [], "speakers": 0, "warnings": []}
    result = diarizer.diarize(context.pcm(), _options(context), context.seconds)
    return {
        "turns": _rows(result.turns),
        "overlapping": _rows(result.overlapping),
        "speakers": result.speakers,
        "engine": result.report.as_json(),
        "warnings": [],
    }


def _rows(turns: Iterable[Turn]) -> list[list[float]]:
    return [[round(turn.start, 3), round(turn.end, 3), turn.speaker] for turn in turns]


STEP = StepDefinition(
    StepName.DIARIZE,
    Queue.SPEECH,
    run,
    needs=(StepName.DECODE,),
    optional=True,
    depends=depends,
)
