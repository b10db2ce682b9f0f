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
    Checkpoint,
    Diarization,
    DiarizeOptions,
    Diarizer,
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
    """The engines that the settings name; add an engine by adding it to the tables."""

    settings: Settings
    speakers: tuple[int | None, int | None] = (None, None)
    """The minimum and maximum number of speakers to expect, if known."""

    notices: list[str] = field(default_factory=list)
    """Sentences for the operator that say why engines do not work."""

    own_device: bool = False
    """Load the models in this process whatever the settings name, for the speech service itself."""

    is_loaded: bool = False

    identities: dict[str, str | None] = field(default_factory=dict)
    """Identities of the engines that `load` has loaded, by kind."""

    def prepare(self) -> None:
        """Fetch missing models before they are needed; failures become notices."""
        self._each(lambda kind, engine: engine.prepare())

    def load(self) -> None:
        """Fetch and load all models, for the owner of the device; failures become notices."""
        self._each(self._load)
        self.is_loaded = True

    def _load(self, kind: str, engine: Transcriber | Diarizer) -> None:
        engine.load()
        self.identities[kind] = engine.identity()

    @property
    def busy_seconds(self) -> float:
        """How long one batch has kept the device; 0 if none does, or if that is unknown."""
        made = self.__dict__.get("transcriber")  # do not create it for this
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
        checkpoint: Checkpoint | None = None,
    ) -> Diarization:
        """Diarize `audio`. Raises ModelUnavailable if the settings turn diarization off."""
        if self.diarizer is None:
            raise ModelUnavailable("Diarization is turned off.", "Set DIARIZATION_ENABLED=true.")
        return self.diarizer.diarize(audio, options, progress, checkpoint)

    @cached_property
    def diarizer(self) -> Diarizer | None:
        """The diarizer; None if the settings turn diarization off."""
        if not self.settings.DIARIZATION_ENABLED:
            return None
        backend = "pyannote" if self.own_device else self.settings.DIARIZATION_BACKEND
        return DIARIZERS[backend](self.settings)
