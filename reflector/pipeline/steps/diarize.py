"""Tell the speakers of the decoded recording apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import DiarizeOptions, EngineReport
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
    options = _options(context)
    if len(context.tracks()) > 1:
        options = _of_a_track(options)
    results = context.for_each_track(lambda audio, report: diarizer.diarize(audio, options, report))
    output = {
        "turns": _rows(results[0].turns),
        "overlapping": _rows(results[0].overlapping),
        "speakers": sum(result.speakers for result in results),
        "engine": EngineReport.of_all([result.report for result in results]).as_json(),
        "warnings": [],
    }
    if len(results) > 1:
        output["tracks"] = [
            {"turns": _rows(result.turns), "overlapping": _rows(result.overlapping)}
            for result in results
        ]
    return output


def _of_a_track(options: DiarizeOptions) -> DiarizeOptions:
    """Return the limits for one of two tracks: in the other somebody speaks, too."""
    most = options.max_speakers
    return DiarizeOptions(None, max(1, most - 1) if most else None)


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
