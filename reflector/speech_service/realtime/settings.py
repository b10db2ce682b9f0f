"""Read what a client of a realtime session asks for, in both versions of OpenAI's protocol."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from reflector.errors import InvalidInput
from reflector.speech.engines import TranscribeOptions, chosen_language
from reflector.speech_service.realtime.audio import AudioFormat, read_format

USUAL_PAUSE_MS, LEAST_PAUSE_MS, MOST_PAUSE_MS = 900, 200, 10_000


@dataclass(frozen=True)
class SessionSettings:
    """`pause_ms` is the silence that ends a turn, None if only the client ends it."""

    audio: AudioFormat = field(default_factory=AudioFormat)
    options: TranscribeOptions = field(default_factory=TranscribeOptions)
    pause_ms: int | None = USUAL_PAUSE_MS

    def as_json(self, model: str) -> dict[str, Any]:
        transcription = {"model": model, "language": self.options.language}
        detection = None
        if self.pause_ms is not None:
            detection = {"type": "server_vad", "silence_duration_ms": self.pause_ms}
        return {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": self.audio.as_json(),
                    "transcription": transcription,
                    "turn_detection": detection,
                }
            },
        }


def updated(settings: SessionSettings, session: Any) -> SessionSettings:
    """Return the settings with what `session` of an update changes.

    Raises InvalidInput for what this service does not do.
    """
    if not isinstance(session, dict):
        raise InvalidInput("session has to be an object.")
    if session.get("type", "transcription") != "transcription":
        raise InvalidInput("This service only transcribes: session.type has to be transcription.")
    audio = session.get("audio") or {}
    given = dict(audio.get("input") or {}) if isinstance(audio, dict) else {}
    for old, new in (
        ("input_audio_format", "format"),
        ("input_audio_transcription", "transcription"),
        ("turn_detection", "turn_detection"),
    ):
        if old in session:
            given.setdefault(new, session[old])
    if given.get("format") is not None:
        settings = replace(settings, audio=read_format(given["format"]))
    if given.get("transcription") is not None:
        settings = replace(settings, options=_options(settings.options, given["transcription"]))
    if "turn_detection" in given:
        settings = replace(settings, pause_ms=_pause(given["turn_detection"]))
    return settings


def _options(options: TranscribeOptions, asked: Any) -> TranscribeOptions:
    if not isinstance(asked, dict):
        raise InvalidInput("transcription has to be an object.")
    language, keywords = asked.get("language"), asked.get("keywords")
    if not (language is None or isinstance(language, str)):
        raise InvalidInput("language has to be a code like en.")
    words = [word for word in keywords if isinstance(word, str)] if keywords else []
    prompt = asked.get("prompt")
    # A prompt lists names and jargon to expect; as a text before each window it would be repeated
    hints = [*words, *([prompt] if isinstance(prompt, str) and prompt else [])]
    return replace(
        options,
        language=chosen_language((language or "").lower() or None),
        hotwords=", ".join(hints) or None,
    )


def _pause(detection: Any) -> int | None:
    if detection is None:
        return None
    asked = detection.get("silence_duration_ms") if isinstance(detection, dict) else None
    if asked is None:
        return USUAL_PAUSE_MS
    if not isinstance(asked, int) or not LEAST_PAUSE_MS <= asked <= MOST_PAUSE_MS:
        raise InvalidInput("silence_duration_ms has to be 200 to 10,000.")
    return asked
