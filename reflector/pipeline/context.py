"""Provide the inputs of a step."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from reflector.db.models import Transcript
from reflector.db.words import load_words
from reflector.errors import NotFound
from reflector.events import Message, transcript_channel
from reflector.events.names import EventName
from reflector.language.meeting import Meeting
from reflector.media.decode import PcmAudio, channel_file, decode
from reflector.pipeline.options import ProcessingOptions, options_of
from reflector.pipeline.step import StepName
from reflector.services import Services
from reflector.transcript.words import Word

Output = dict[str, Any]
T = TypeVar("T")
PROGRESS_SECONDS = 0.25
# Version of the output of `decode`: samples from before an update are not used after it
PCM_VERSION = 2


def digest_of(*parts: object) -> str:
    """Return SHA-256 of JSON values, in hex."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class StepContext:
    """The inputs of one step of one run.

    `transcript` is a snapshot, `outputs` are those of the finished steps. `keep` raises LeaseLost
    if the step no longer belongs to this worker.
    """

    services: Services
    transcript: Transcript
    names: Mapping[int, str]
    run: int
    step: StepName
    outputs: Mapping[StepName, Output]
    input_digests: Mapping[str, str | None]
    keep: Callable[[], None]

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._reported = 0.0

    def output(self, step: StepName) -> Output:
        return self.outputs[step]

    @cached_property
    def words(self) -> list[Word]:
        """The words of the run, with the corrections that readers have made since."""
        with self.services.db.read() as session:
            return load_words(session, self.transcript.id, self.run)

    @cached_property
    def shown_words(self) -> list[Word]:
        """The words on show: those of this run, or of the run that it will replace."""
        with self.services.db.read() as session:
            return load_words(session, self.transcript.id, self.transcript.shown_run)

    @cached_property
    def options(self) -> ProcessingOptions:
        """How the owner wants the recording processed, as it is when the step begins."""
        with self.services.db.read() as session:
            return options_of(session, self.transcript)

    @property
    def language(self) -> str:
        return str(self.output(StepName.TRANSCRIBE).get("language") or "en")

    @cached_property
    def meeting(self) -> Meeting:
        return Meeting(self.words, self.names, self.language)

    @property
    def pcm_path(self) -> Path:
        folder = self.services.settings.scratch_dir / self.transcript.id
        return folder / f"{self.transcript.upload_version}.{PCM_VERSION}.s16"

    def pcm(self) -> PcmAudio:
        """Return the decoded audio; decode it again if it was removed."""
        if not self.pcm_path.is_file():
            self._decode()
        return PcmAudio(self.pcm_path)

    def _decode(self) -> None:
        with self.services.storage.open(self.upload_key) as source:
            apart = bool(self.transcript.has_tracks)
            decode(source, self.pcm_path, lambda _: self.keep(), apart=apart)

    @property
    def channels(self) -> list[int]:
        """The channels of the recording that are its tracks; none if it has no tracks."""
        return list(self.output(StepName.DECODE).get("channels", []))

    def tracks(self) -> list[PcmAudio]:
        """Return the tracks of a recording that has several, otherwise its mix."""
        files = [channel_file(self.pcm_path, number) for number in self.channels]
        if not all(file.is_file() for file in files):
            self._decode()
        if not files or not all(file.is_file() for file in files):
            return [self.pcm()]
        return [PcmAudio(file) for file in files]

    def for_each_track(
        self,
        work: Callable[[PcmAudio, Callable[[float], None]], T],
        *,
        last_first: bool = False,
    ) -> list[T]:
        """Return what `work` makes of each track; it gets the track and reports its seconds."""
        tracks = self.tracks()

        def part(place: int, track: PcmAudio) -> Callable[[float], None]:
            return lambda done: self.seconds((place * track.duration + done) / len(tracks))

        order = tracks[::-1] if last_first else tracks
        results = [work(track, part(place, track)) for place, track in enumerate(order)]
        return results[::-1] if last_first else results

    @property
    def upload_key(self) -> str:
        if self.transcript.upload_key is None:
            raise NotFound("There is no recording to process.")
        return self.transcript.upload_key

    def drop_scratch(self) -> None:
        """Remove the scratch files, including what a killed worker left half-written."""
        shutil.rmtree(self.pcm_path.parent, ignore_errors=True)

    def seconds(self, done: float) -> None:
        """Report progress in seconds of audio, and check the lease."""
        total = self.transcript.duration / 1000 or self._decoded_duration()
        self.progress(done / total if total else 0.0, done)

    def _decoded_duration(self) -> float:
        return float(self.outputs.get(StepName.DECODE, {}).get("duration", 0.0))

    def progress(self, fraction: float, seconds: float | None = None) -> None:
        """Report progress to viewers, at most four times a second, and check the lease."""
        self.keep()
        now = time.monotonic()
        if now - self._reported < PROGRESS_SECONDS and fraction < 1:
            return
        self._reported = now
        fraction = min(1.0, max(0.0, fraction))
        elapsed = now - self._started
        data: dict[str, Any] = {
            "step": self.step.value,
            "fraction": round(fraction, 4),
            "eta": round(elapsed / fraction * (1 - fraction), 1) if fraction > 0 else None,
        }
        if seconds is not None:
            data["seconds"] = round(seconds, 1)
        channel = transcript_channel(self.transcript.id)
        self.services.bus.publish(channel, Message(EventName.PROGRESS, data))
