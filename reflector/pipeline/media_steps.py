"""Steps on sound: decode, playback."""

from __future__ import annotations

import os

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.record import Recorder
from reflector.media.decode import decode
from reflector.media.playback import write_mp3
from reflector.media.probe import probe
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.specs import StepName
from reflector.storage.durable import sync
from reflector.storage.keys import audio_key


def run_decode(context: StepContext) -> Output:
    with context.services.storage.open(context.upload_key) as source:
        info = probe(source)
        expected = info.duration or 0.0

        def report(done: float) -> None:
            context.progress(done / expected if expected else 0.0, done)

        decoded = decode(source, context.pcm_path, report)
    warnings = []
    if decoded.bad_packets:
        warnings.append(f"{decoded.bad_packets} damaged pieces of the recording were left out.")
    if expected and decoded.duration < 0.9 * expected - 1:
        warnings.append(
            f"The recording ends after {decoded.duration:.0f} of the {expected:.0f} seconds that "
            "its header promises: it seems to be cut short."
        )
    return {
        "duration": decoded.duration,
        "waveform": decoded.waveform,
        "container": info.container,
        "codec": info.codec,
        "warnings": warnings,
    }


def apply_decode(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Recorder
) -> None:
    milliseconds = round(output["duration"] * 1000, 1)
    transcript.duration = milliseconds
    events.add(EventName.DURATION, {"duration": milliseconds})
    events.add(EventName.WAVEFORM, {"waveform": output["waveform"]})


def run_playback(context: StepContext) -> Output:
    """`audio.mp3` in storage. The object is replaced whole, so a player never meets half of it."""
    storage, key = context.services.storage, audio_key(context.transcript.id)
    audio = context.pcm()
    target = context.pcm_path.with_name(f"audio.{os.getpid()}.{context.run}.mp3")
    try:
        with storage.open(context.upload_key) as source:
            info = probe(source)
            write_mp3(source, info, audio, target, context.seconds)
        sync(target)
        storage.adopt(target, key)
    finally:
        target.unlink(missing_ok=True)
    return {"key": key, "duration": context.output(StepName.DECODE)["duration"]}
