"""Encode the MP3 that the player plays, from the decoded samples."""

from __future__ import annotations

import uuid

from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.storage.durable import sync
from reflector.storage.keys import audio_key


def run(context: StepContext) -> Output:
    """Write `audio.mp3` to the storage.

    The object is replaced as a whole, so a player never reads half of it.
    """
    from reflector.media.playback import write_mp3  # imports FFmpeg, so only where it runs

    storage, key = context.services.storage, audio_key(context.transcript.id)
    audio = context.pcm()
    target = context.pcm_path.with_name(f"audio.{uuid.uuid4().hex}.mp3")
    try:
        write_mp3(audio, target, context.seconds)
        sync(target)
        storage.adopt(target, key)
    finally:
        target.unlink(missing_ok=True)
    return {"key": key, "duration": context.output(StepName.DECODE)["duration"]}


STEP = StepDefinition(
    StepName.PLAYBACK, Queue.MEDIA, run, needs=(StepName.DECODE,), optional=True, version=2
)
