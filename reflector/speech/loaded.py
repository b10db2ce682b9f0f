"""The engines of this process: made once, their models loaded at first use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from reflector.errors import ReflectorError
from reflector.settings import Settings
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import Diarizer, Transcriber
from reflector.speech.whisper import WhisperTranscriber

log = logging.getLogger(__name__)

TRANSCRIBERS: dict[str, Callable[[Settings], Transcriber]] = {"whisper": WhisperTranscriber}
DIARIZERS: dict[str, Callable[[Settings], Diarizer]] = {"pyannote": PyannoteDiarizer}


@dataclass
class SpeechEngines:
    """Engines by the names in the settings; another engine is another entry in the tables."""

    settings: Settings
    speakers: tuple[int | None, int | None] = (None, None)
    """The least and the most speakers to expect, where somebody knows."""

    notices: list[str] = field(default_factory=list)
    """What keeps the engines from working, in sentences for the operator."""

    def prepare(self) -> None:
        """Fetch what is missing before it is needed; what cannot be had becomes a notice."""
        checks: list[Callable[[], None]] = [self._check_transcriber, self._check_diarizer]
        for check in checks:
            try:
                check()
            except ReflectorError as error:
                log.warning("%s", error)
                self.notices.append(str(error))

    def _check_transcriber(self) -> None:
        self.transcriber.prepare()

    def _check_diarizer(self) -> None:
        if self.diarizer is not None:
            self.diarizer.prepare()

    @cached_property
    def transcriber(self) -> Transcriber:
        return TRANSCRIBERS["whisper"](self.settings)

    @cached_property
    def diarizer(self) -> Diarizer | None:
        """None where the settings turn diarization off."""
        if not self.settings.DIARIZATION_ENABLED:
            return None
        return DIARIZERS["pyannote"](self.settings)
