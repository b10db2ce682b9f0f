"""Decode the recording to 16 kHz mono PCM, and compute its waveform."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName


def depends(context: StepContext) -> list[Any]:
    return ["tracks"] if context.transcript.has_tracks else []


def run(context: StepContext) -> Output:
    # Import FFmpeg only in the process that does the work
    from reflector.media.decode import decode
    from reflector.media.probe import probe

    with context.services.storage.open(context.upload_key) as source:
        info = probe(source)
        expected = info.duration or 0.0

        def report(done: float) -> None:
            context.progress(done / expected if expected else 0.0, done)

        apart = bool(context.transcript.has_tracks)
        decoded = decode(source, context.pcm_path, report, apart=apart)
    warnings: list[str] = []
    warnings += decoded.remarks
    if decoded.bad_packets:
        warnings.append(f"{decoded.bad_packets} damaged pieces of the recording were left out.")
    if expected and not info.is_estimated and decoded.duration < 0.9 * expected - 1:
        warnings.append(
            f"The recording ends after {decoded.duration:.0f} of the {expected:.0f} seconds that "
            "its header promises: it seems to be cut short."
        )
    return {
        "duration": decoded.duration,
        "waveform": decoded.waveform,
        "container": info.container,
        "codec": info.codec,
        "channels": list(decoded.apart),
        "warnings": warnings,
    }


def apply(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Outbox
) -> None:
    milliseconds = round(output["duration"] * 1000, 1)
    transcript.duration = milliseconds
    events.add(EventName.DURATION, {"duration": milliseconds})
    events.add(EventName.WAVEFORM, {"waveform": output["waveform"]})


STEP = StepDefinition(StepName.DECODE, Queue.MEDIA, run, apply=apply, depends=depends, version=2)
