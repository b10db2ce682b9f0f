"""Create this process's engines once; their models load at first use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from reflector.errors import ModelUnavailable, ReflectorError
from reflector.media.decode import PcmAudio
from reflector.runtime.settings import Settings
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import (
    Diarization,
    DiarizeOptions,
    Diarizer,
    Memo,
    Progress,
    Transcriber,
)
from reflector.speech.remote import RemoteDiarizer, RemoteTranscriber
from reflector.speech.whisper import WhisperTranscriber

log = logging.getLogger(__name__)

TRANSCRIBERS: dict[str, Callable[[Settings], Transcriber]] = {
    "whisper": WhisperTranscriber,
    "modal": RemoteTranscriber,
}
DIARIZERS: dict[str, Callable[[Settings], Diarizer]] = {
    "pyannote": PyannoteDiarizer,
    "modal": RemoteDiarizer,
}


@dataclass
class SpeechEngines:
    """Engines by the names in the settings; another engine is another entry in the tables."""

    settings: Settings
    speakers: tuple[int | None, int | None] = (None, None)
    """The least and the most speakers to expect, where somebody knows."""

    notices: list[str] = field(default_factory=list)
    """What keeps the engines from working, in sentences for the operator."""

    own_device: bool = False
    """Models in this process whatever the settings name: for the service that they name."""

    is_loaded: bool = False

    identities: dict[str, str | None] = field(default_factory=dict)
    """What the engines are that `load` has loaded, by kind; None for one that could not be."""

    def prepare(self) -> None:
        """Fetch what is missing before it is needed; what cannot be had becomes a notice."""
        self._each(lambda kind, engine: engine.prepare())

    def load(self) -> None:
        """Fetch and load everything, for who owns the device; what fails becomes a notice."""
        self._each(self._load)
        self.is_loaded = True

    def _load(self, kind: str, engine: Transcriber | Diarizer) -> None:
        engine.load()
        self.identities[kind] = engine.identity()

    @property
    def busy_seconds(self) -> float:
        """How long one batch has kept the device; 0 where none does, or nobody knows."""
        made = self.__dict__.get("transcriber")  # not to be made for this
        return float(getattr(made, "busy_seconds", 0.0))

    def _each(self, do: Callable[[str, Transcriber | Diarizer], None]) -> None:
        makers: dict[str, Callable[[], Transcriber | Diarizer | None]] = {
            "transcription": lambda: self.transcriber,
            "diarization": lambda: self.diarizer,
        }
        for kind, make in makers.items():
            try:
                engine = make()
                if engine is not None:
                    do(kind, engine)
            except ReflectorError as error:
                log.warning("%s", error)
                self.notices.append(str(error))

    @cached_property
    def transcriber(self) -> Transcriber:
        backend = "whisper" if self.own_device else self.settings.TRANSCRIPT_BACKEND
        return TRANSCRIBERS[backend](self.settings)

    def diarize(
        self,
        audio: PcmAudio,
        options: DiarizeOptions,
        progress: Progress,
        memo: Memo | None = None,
    ) -> Diarization:
        """Raise ModelUnavailable if the settings turn diarization off."""
        if self.diarizer is None:
            raise ModelUnavailable("Diarization is turned off.", "Set DIARIZATION_ENABLED=true.")
        return self.diarizer.diarize(audio, options, progress, memo)

    @cached_property
    def diarizer(self) -> Diarizer | None:
        """None where the settings turn diarization off."""
        if not self.settings.DIARIZATION_ENABLED:
            return None
        backend = "pyannote" if self.own_device else self.settings.DIARIZATION_BACKEND
        return DIARIZERS[backend](self.settings)
