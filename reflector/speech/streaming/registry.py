"""Name the live recognisers that the settings may choose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reflector.speech.engines import TranscribeOptions
from reflector.speech.registry import SpeechEngines
from reflector.speech.streaming.engine import LiveTranscriber
from reflector.speech.streaming.whisper import WhisperLive


def _whisper(
    engines: SpeechEngines, options: TranscribeOptions, scratch: Path, start: float
) -> LiveTranscriber:
    return WhisperLive(engines.transcriber, options, scratch, start)


LIVE_ENGINES: dict[
    str, Callable[[SpeechEngines, TranscribeOptions, Path, float], LiveTranscriber]
] = {
    "whisper": _whisper,
}
"""The values of LIVE_ENGINE; add an engine by adding it to the table.

An engine gets a folder for its files, and the second at which its sound begins.
"""
