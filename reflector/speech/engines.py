"""Define the two interfaces of speech engines, and their data."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from reflector.media.decode import PcmAudio
from reflector.speech.scheduler import Priority
from reflector.transcript.assembly import Turn
from reflector.transcript.language_codes import AUTOMATIC
from reflector.transcript.words import Word

Progress = Callable[[float], None]
"""Called with the seconds of audio that are done. An exception from it ends the work."""


class Task(StrEnum):
    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"
    """Translate into English."""


@dataclass(frozen=True)
class TranscribeOptions:
    """Options of a transcription.

    `language` is a code like `en`, None to detect it. `hotwords` are names and jargon to expect.
    `prompt` is text before the first words. `temperature` is 0 for the likeliest words. With
    `multilingual`, the language is detected again in each window.
    """

    language: str | None = None
    hotwords: str | None = None
    prompt: str | None = None
    temperature: float = 0.0
    multilingual: bool = False
    task: Task = Task.TRANSCRIBE
    priority: Priority = Priority.BATCH


def chosen_language(code: str | None) -> str | None:
    """Return the language code; None if the language is to be detected."""
    return None if code is None or code in AUTOMATIC else code


@dataclass(frozen=True)
class DiarizeOptions:
    min_speakers: int | None = None
    max_speakers: int | None = None


def shown_model(name: str) -> str:
    """Return a model's name to show outside: only the name of a folder, not its path."""
    path = Path(name).expanduser()
    return path.name if path.is_absolute() or name.startswith(".") else name


@dataclass(frozen=True)
class EngineReport:
    """What did the work, and how long it took in seconds."""

    model: str
    device: str
    precision: str
    audio_seconds: float
    elapsed: float

    @classmethod
    def of_all(cls, reports: Sequence[EngineReport]) -> EngineReport:
        """Return one report of the same engine on several tracks."""
        return replace(
            reports[0],
            audio_seconds=sum(report.audio_seconds for report in reports),
            elapsed=sum(report.elapsed for report in reports),
        )

    @property
    def real_time_factor(self) -> float:
        return self.elapsed / self.audio_seconds if self.audio_seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "real_time_factor": round(self.real_time_factor, 4)}


@dataclass(frozen=True)
class Phrase:
    """A phrase of the recogniser, with its confidence; times in seconds.

    `avg_logprob`, `no_speech_prob` and `compression_ratio` are those of OpenAI's Whisper.
    """

    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


Heard = Callable[[Phrase], None]
"""Called with each phrase as soon as it is known."""

Checkpoint = MutableMapping[str, Any]
"""Results for each batch of windows, or block of a recording, as JSON values.

Known results are not computed again.
"""


@dataclass(frozen=True)
class Transcription:
    words: list[Word]
    language: str
    speech_seconds: float
    report: EngineReport
    warnings: list[str] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)


@dataclass(frozen=True)
class Diarization:
    """Who speaks when.

    `turns` never overlap. `overlapping` are the turns of everyone who speaks at a time, if the
    engine reports them. `speakers` is the number of speakers found.

    `voices`: float32[dimension] of each speaker, of length 1 (L2). Only vectors of one model can be
    compared. A speaker who said too little has none.
    """

    turns: list[Turn]
    speakers: int
    report: EngineReport
    voices: dict[int, list[float]] = field(default_factory=dict)
    overlapping: list[Turn] = field(default_factory=list)


class Transcriber(Protocol):
    @property
    def model_name(self) -> str: ...

    def identity(self) -> str:
        """Return a name for the weights, the precision and all else that determines the words.

        It is part of a step's digest: with another identity, old words are out of date. Fetches a
        model that is missing. Raises Unavailable while the service of the model does not answer.
        """

    def prepare(self) -> None:
        """Fetch the model to this machine without loading it. Raises EngineError on failure."""

    def load(self) -> None:
        """Load the model for the first request. Raises EngineError on failure."""

    def transcribe(
        self,
        audio: PcmAudio,
        options: TranscribeOptions,
        progress: Progress,
        heard: Heard | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcription: ...


class Diarizer(Protocol):
    @property
    def model_name(self) -> str: ...

    def identity(self) -> str: ...

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def diarize(
        self,
        audio: PcmAudio,
        options: DiarizeOptions,
        progress: Progress,
        checkpoint: Checkpoint | None = None,
    ) -> Diarization: ...
