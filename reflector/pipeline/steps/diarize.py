"""Tell the speakers of the decoded recording apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from reflector.media.decode import PcmAudio
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.speech.engines import Diarization, DiarizeOptions, EngineReport, Progress
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
    identity = diarizer.identity() if diarizer else None
    return [identity, asdict(_options(context)), *context.channels]


def run(context: StepContext) -> Output:
    diarizer = context.services.speech.diarizer
    if diarizer is None:
        return {"turns": [], "overlapping": [], "speakers": 0, "warnings": []}
    options, tracks = _options(context), context.tracks()
    if len(tracks) > 1 and options.max_speakers == 1:
        return {"turns": [], "overlapping": [], "speakers": 1, "warnings": []}
    known: list[Diarization] = []

    def told_apart(audio: PcmAudio, report: Progress) -> Diarization:
        rest = _rest(options, known) if len(tracks) > 1 else options
        known.append(diarizer.diarize(audio, rest, report))
        return known[-1]

    # The microphone last: the others may be heard in it, too, through loudspeakers
    found = context.for_each_track(told_apart, last_first=True)
    apart = [{"turns": _rows(one.turns), "overlapping": _rows(one.overlapping)} for one in found]
    output: Output = {
        "turns": _all_turns(found),
        "overlapping": apart[0]["overlapping"] if len(apart) == 1 else [],
        "speakers": sum(one.speakers for one in found),
        "engine": EngineReport.of_all([one.report for one in found]).as_json(),
        "warnings": [],
    }
    return output if len(apart) == 1 else output | {"tracks": apart}


def _rest(options: DiarizeOptions, known: list[Diarization]) -> DiarizeOptions:
    """Return the limits of the next of two tracks. In each of them somebody speaks."""
    taken = sum(max(1, one.speakers) for one in known)
    least, most = options.min_speakers, options.max_speakers
    return DiarizeOptions(
        max(1, least - taken) if least and known else None,
        max(1, most - (taken or 1)) if most else None,
    )


def _all_turns(found: list[Diarization]) -> list[list[float]]:
    """Return the turns of all tracks, whose speakers have numbers of their own."""
    turns: list[Turn] = []
    for one in found:
        first = 1 + max((turn.speaker for turn in turns), default=-1)
        turns += [replace(turn, speaker=first + turn.speaker) for turn in one.turns]
    return _rows(sorted(turns, key=lambda turn: turn.start) if len(found) > 1 else turns)


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
