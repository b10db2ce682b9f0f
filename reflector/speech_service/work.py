"""Process a recording for every form of request."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from reflector.media.decode import PcmAudio, decode
from reflector.runtime.settings import Settings
from reflector.speech.engines import (
    Diarization,
    DiarizeOptions,
    EngineReport,
    Heard,
    TranscribeOptions,
    Transcription,
    shown_model,
)
from reflector.speech.registry import SpeechEngines
from reflector.speech_service.limiter import Cancelled, Check

FAILED = "The speech service failed. Its log says why."


@dataclass
class SpeechWork:
    """The engines of this process, and the settings that say where decoded recordings go."""

    settings: Settings
    engines: SpeechEngines

    @contextmanager
    def decoded(self, source: BinaryIO, check: Check) -> Iterator[PcmAudio]:
        """Yield the decoded recording. Raises InvalidInput if it has no sound."""
        with temporary_folder(self.settings) as folder:
            path = folder / "audio.s16"
            decode(source, path, lambda _: check())
            yield PcmAudio(path)

    def transcribe(
        self,
        source: BinaryIO,
        options: TranscribeOptions,
        check: Check,
        heard: Heard | None = None,
    ) -> Transcription:
        with self.decoded(source, check) as audio:
            return self.engines.transcriber.transcribe(audio, options, lambda _: check(), heard)

    def with_speakers(
        self, source: BinaryIO, options: TranscribeOptions, check: Check
    ) -> tuple[Transcription, Diarization]:
        """Transcribe and diarize at the same time; the recording is decoded once."""
        failed = threading.Event()

        def beside(_: float) -> None:
            check()
            if failed.is_set():
                raise Cancelled

        with (
            self.decoded(source, check) as audio,
            ThreadPoolExecutor(1, thread_name_prefix="speakers") as other,
        ):
            turns = other.submit(self.engines.diarize, audio, DiarizeOptions(), beside)
            try:
                words = self.engines.transcriber.transcribe(audio, options, lambda _: check())
            except BaseException:
                failed.set()
                raise
            return words, turns.result()

    def diarize(self, source: BinaryIO, options: DiarizeOptions, check: Check) -> Diarization:
        with self.decoded(source, check) as audio:
            return self.engines.diarize(audio, options, lambda _: check())


@contextmanager
def temporary_folder(settings: Settings) -> Iterator[Path]:
    """Yield a temporary folder on the disk that has room for recordings."""
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.scratch_dir) as folder:
        yield Path(folder)


@contextmanager
def temporary_file(settings: Settings) -> Iterator[BinaryIO]:
    """Yield a temporary file without a name, on the same disk."""
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.scratch_dir) as file:
        yield file


def report_of(result: Transcription | Diarization) -> dict[str, Any]:
    """Return what did the work, and how it went; this is part of every answer."""
    report: EngineReport = result.report
    body = {**asdict(report), "real_time_factor": round(report.real_time_factor, 4)}
    body["model"] = shown_model(report.model)
    body["elapsed"] = round(report.elapsed, 3)
    if isinstance(result, Transcription):
        body |= {"speech_seconds": round(result.speech_seconds, 2), "warnings": result.warnings}
    return body
