"""Hold one realtime session: the client's events in, the server's events out.

Turns end at a pause, or when the client commits. The words of a turn come as deltas as soon as they
are final, and once more together when it is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from reflector.errors import InvalidInput, ReflectorError
from reflector.media.decode import SAMPLE_RATE
from reflector.speech.engines import Transcriber, shown_model
from reflector.speech.streaming.whisper import WhisperLive
from reflector.speech_service.realtime.audio import Decoder
from reflector.speech_service.realtime.settings import SessionSettings, updated
from reflector.transcript.words import Word, plain_text

Event = dict[str, Any]

STEP_SECONDS = 0.6
# OpenAI's own limit
SHORTEST_TURN_SECONDS = 0.1
TRANSCRIBED = "conversation.item.input_audio_transcription"


def new_id(kind: str) -> str:
    return f"{kind}_{uuid4().hex[:20]}"


def error_event(message: str, code: str, kind: str = "invalid_request_error") -> Event:
    return {"type": "error", "error": {"type": kind, "code": code, "message": message}}


class RealtimeSession:
    """Used by one thread at a time. `scratch` is a folder for the recogniser's files."""

    def __init__(self, transcriber: Transcriber, scratch: Path) -> None:
        self._transcriber, self._scratch = transcriber, scratch
        self._settings = SessionSettings()
        self._decoder = Decoder(self._settings.audio)
        self._live = self._recogniser(0.0)
        self._new_seconds = self._turn_seconds = 0.0
        self._item: str | None = None
        self._previous: str | None = None
        self._words: list[Word] = []

    def _recogniser(self, start: float) -> WhisperLive:
        pause = self._settings.pause_ms
        return WhisperLive(
            self._transcriber,
            self._settings.options,
            self._scratch,
            start,
            **({"pause_seconds": pause / 1000} if pause else {}),
        )

    def begin(self) -> list[Event]:
        return [{"type": "session.created", "session": self._described()}]

    def _described(self) -> Event:
        shown = self._settings.as_json(shown_model(self._transcriber.model_name))
        return {"id": new_id("sess"), "object": "realtime.transcription_session", **shown}

    @property
    def has_work(self) -> bool:
        return self._new_seconds >= STEP_SECONDS

    def handle(self, event: Any) -> list[Event]:
        """Return the answers to an event of the client. Errors are answers, too."""
        kind = event.get("type") if isinstance(event, dict) else None
        try:
            match kind:
                case "session.update" | "transcription_session.update":
                    return self._update(f"{kind}d", event.get("session"))
                case "input_audio_buffer.append":
                    self._append(event.get("audio"))
                    return []
                case "input_audio_buffer.commit":
                    return self._commit()
                case "input_audio_buffer.clear":
                    return self._clear()
        except InvalidInput as error:
            return [error_event(error.message, "invalid_value")]
        return [error_event(f"This service does not know the event {str(kind)[:60]}.", "unknown")]

    def _update(self, answer: str, session: Any) -> list[Event]:
        before = self._settings
        self._settings = updated(before, session)
        if self._settings.audio != before.audio:
            self._decoder = Decoder(self._settings.audio)
        done: list[Event] = []
        if self._settings != before:
            done = self._complete() if self._words else []
            self._live = self._recogniser(self._live.heard)
        return [*done, {"type": answer, "session": self._described()}]

    def _append(self, audio: Any) -> None:
        samples = self._decoder.decode(audio)
        self._live.add(samples)
        self._new_seconds += len(samples) / SAMPLE_RATE
        self._turn_seconds += len(samples) / SAMPLE_RATE

    def _clear(self) -> list[Event]:
        self._live = self._recogniser(self._live.heard)
        self._new_seconds = self._turn_seconds = 0.0
        self._item, self._words = None, []
        return [{"type": "input_audio_buffer.cleared"}]

    def _commit(self) -> list[Event]:
        if self._turn_seconds < SHORTEST_TURN_SECONDS:
            return [
                error_event(
                    "There is no sound to commit: a turn has at least 100 ms.",
                    "input_audio_buffer_commit_empty",
                )
            ]
        return [*self.recognise(is_end=True), *self._complete()]

    def recognise(self, is_end: bool = False) -> list[Event]:
        """Recognise what was added. Takes as long as the device needs."""
        self._new_seconds = 0.0
        try:
            found = self._live.recognise(is_end)
        except ReflectorError as error:
            return [error_event(str(error), "recogniser_failed", "server_error")]
        events: list[Event] = []
        if (found.final or found.partial) and self._item is None:
            events.append(self._started((found.final or found.partial)[0]))
        if found.final:
            self._words += found.final
            delta = "".join(word.text for word in found.final)
            events.append(self._transcribed("delta", delta=delta))
        turns = self._settings.pause_ms is not None
        if turns and found.is_pause and self._words and not is_end:
            events += self._complete()
        return events

    def _started(self, first: Word) -> Event:
        self._item = new_id("item")
        return {
            "type": "input_audio_buffer.speech_started",
            "audio_start_ms": int(first.start * 1000),
            "item_id": self._item,
        }

    def _complete(self) -> list[Event]:
        """End the turn: the sound so far is one item, with its text."""
        item = self._item = self._item or new_id("item")
        end = self._words[-1].end if self._words else self._live.heard
        stopped = {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": int(end * 1000)}
        content = [{"type": "input_audio", "transcript": None}]
        shown = {
            "id": item, "type": "message", "role": "user", "status": "completed", "content": content,
        }  # fmt: skip
        seconds = {"type": "duration", "seconds": round(self._turn_seconds, 2)}
        events: list[Event] = [
            *([{**stopped, "item_id": item}] if self._words else []),
            {
                "type": "input_audio_buffer.committed",
                "item_id": item,
                "previous_item_id": self._previous,
            },
            {
                "type": "conversation.item.added",
                "item": shown,
                "previous_item_id": self._previous,
            },
            self._transcribed("completed", transcript=plain_text(self._words), usage=seconds),
        ]
        self._previous, self._item, self._words = item, None, []
        self._turn_seconds = 0.0
        return events

    def _transcribed(self, what: str, **values: Any) -> Event:
        return {
            "type": f"{TRANSCRIBED}.{what}", "item_id": self._item, "content_index": 0, **values,
        }  # fmt: skip
