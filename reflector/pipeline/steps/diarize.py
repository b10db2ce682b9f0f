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
    limits = context.services.speech.speakers
    return context.options.speakers or DiarizeOptions(limits[0], limits[1])


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
