"""The two interfaces that speech engines implement, and what passes through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from reflector.media.decode import PcmAudio
from reflector.transcript.assembly import Turn
from reflector.transcript.words import Word

Progress = Callable[[float], None]
"""Called with the seconds of audio that are done."""


@dataclass(frozen=True)
class TranscribeOptions:
    """`language`: a code like `en`, None to detect it. `hotwords`: names and jargon to expect."""

    language: str | None = None
    hotwords: str | None = None


@dataclass(frozen=True)
class DiarizeOptions:
    min_speakers: int | None = None
    max_speakers: int | None = None


@dataclass(frozen=True)
class EngineReport:
    """What did the work, and how long it took; seconds."""

    model: str
    device: str
    precision: str
    audio_seconds: float
    elapsed: float

    @property
    def real_time_factor(self) -> float:
        return self.elapsed / self.audio_seconds if self.audio_seconds else 0.0


@dataclass(frozen=True)
class Transcription:
    words: list[Word]
    language: str
    speech_seconds: float
    report: EngineReport
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Diarization:
    """`turns` never overlap; `speakers` that were told apart."""

    turns: list[Turn]
    speakers: int
    report: EngineReport


class Transcriber(Protocol):
    @property
    def name(self) -> str:
        """Names the model and all else that decides the words; part of a step's digest."""

    def prepare(self) -> None:
        """Get the model onto this machine without loading it; EngineError where that fails."""

    def transcribe(
        self, audio: PcmAudio, options: TranscribeOptions, progress: Progress
    ) -> Transcription: ...


class Diarizer(Protocol):
    @property
    def name(self) -> str: ...

    def prepare(self) -> None: ...

    def diarize(
        self, audio: PcmAudio, options: DiarizeOptions, progress: Progress
    ) -> Diarization: ...
