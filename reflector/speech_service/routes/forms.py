"""Read the form of a transcription, from clients of the reference's service and of OpenAI's.

Both post to `/v1/audio/transcriptions`. A form with a field that only OpenAI knows is OpenAI's; any
other is the reference's. The reference's answer has everything of OpenAI's plain `json`, so it also
serves an OpenAI client that sends only a file and a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from starlette.datastructures import FormData, UploadFile

from reflector.errors import InvalidInput
from reflector.speech.engines import Task, TranscribeOptions, chosen_language
from reflector.speech.scheduler import Priority

ONLY_OPENAI = {
    "response_format", "timestamp_granularities[]", "timestamp_granularities", "prompt",
    "temperature", "stream", "include[]", "chunking_strategy",
}  # fmt: skip
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off", ""}
MAX_SPEAKERS = 100


class ResponseFormat(StrEnum):
    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"
    DIARIZED_JSON = "diarized_json"


@dataclass(frozen=True)
class TranscriptionForm:
    """The fields of a form. `files` has at least one; `format` None is the reference's answer."""

    files: list[UploadFile]
    options: TranscribeOptions
    format: ResponseFormat | None
    stream: bool
    words: bool
    several: bool
    """Whether the answer is a list, even for a single file."""


def read_form(form: FormData, task: Task = Task.TRANSCRIBE) -> TranscriptionForm:
    """Read the fields of a form. Raises InvalidInput that names the field that cannot be used."""
    one = [item for item in form.getlist("file") if isinstance(item, UploadFile)]
    many = [item for item in form.getlist("files") if isinstance(item, UploadFile)]
    several = _flag(form, "batch") or bool(many)
    if not one and not many:
        raise InvalidInput("Either 'file' or 'files' parameter is required")
    if several and not many:
        raise InvalidInput("Batch transcription requires 'files'")
    granularities = {
        str(item)
        for name in ("timestamp_granularities[]", "timestamp_granularities")
        for item in form.getlist(name)
    }
    if unknown := granularities - {"word", "segment"}:
        raise InvalidInput(f"timestamp_granularities cannot be {', '.join(sorted(unknown))}.")
    openai = task is Task.TRANSLATE or bool(ONLY_OPENAI & set(form.keys()))
    return TranscriptionForm(
        files=many if several else one[:1],
        options=TranscribeOptions(
            language=_language(form),
            hotwords=_text(form, "hotwords"),
            prompt=_text(form, "prompt"),
            temperature=_temperature(form),
            multilingual=_flag(form, "multilingual"),
            task=task,
            priority=_priority(form),
        ),
        format=_format(form) if openai else None,
        stream=_flag(form, "stream"),
        words="word" in granularities,
        several=several,
    )


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) and value else None


def _flag(form: FormData, name: str) -> bool:
    value = (_text(form, name) or "").lower()
    if value not in TRUE | FALSE:
        raise InvalidInput(f"{name} has to be true or false.")
    return value in TRUE


def _language(form: FormData) -> str | None:
    return chosen_language((_text(form, "language") or "").lower())


def _format(form: FormData) -> ResponseFormat:
    value = _text(form, "response_format") or ResponseFormat.JSON.value
    try:
        return ResponseFormat(value)
    except ValueError as error:
        known = ", ".join(format.value for format in ResponseFormat)
        raise InvalidInput(f"response_format cannot be {value[:40]}: use {known}.") from error


def _temperature(form: FormData) -> float:
    try:
        value = float(_text(form, "temperature") or 0.0)
    except ValueError as error:
        raise InvalidInput("temperature has to be a number between 0 and 1.") from error
    if not 0.0 <= value <= 1.0:
        raise InvalidInput("temperature has to be a number between 0 and 1.")
    return value


def _priority(form: FormData) -> Priority:
    """Return the priority. Extra: `priority=live` goes ahead of long recordings."""
    value = _text(form, "priority") or "batch"
    if value not in {"live", "batch"}:
        raise InvalidInput("priority has to be live or batch.")
    return Priority[value.upper()]
