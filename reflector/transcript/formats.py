"""Format a transcript as text, in the formats of the API, of files and of commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from html import escape
from typing import Any

from reflector.transcript.words import Segment, Word


class TextFormat(StrEnum):
    TEXT = "text"
    TEXT_TIMESTAMPED = "text-timestamped"
    WEBVTT_NAMED = "webvtt-named"
    JSON = "json"


# Output formats of `reflector transcribe`
FILE_FORMATS = [*(format.value for format in TextFormat), "srt", "md"]
Names = Mapping[int, str]
UNNAMED = "Speaker {number}"
LINE_CHARACTERS = 42  # of subtitles
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def speaker_name(names: Names, speaker: int) -> str:
    """Return the name, or the speaker's number as the API has it: the first one is 0."""
    return one_line(names.get(speaker) or "") or f"Speaker {speaker}"


def shown_name(names: Names, speaker: int, unnamed: str = UNNAMED) -> str:
    """Return the name as people see it, who count speakers from 1. `unnamed`: UNNAMED, translated."""
    return one_line(names.get(speaker) or "") or unnamed.format(number=speaker + 1)


def shown_names(names: Names, segments: Iterable[Segment | Word]) -> dict[int, str]:
    """Return `shown_name` of every speaker of `segments`."""
    return {speaker: shown_name(names, speaker) for speaker in {s.speaker for s in segments}}


def text(segments: Sequence[Segment], names: Names) -> str:
    return "\n".join(f"{speaker_name(names, s.speaker)}: {one_line(s.text)}" for s in segments)


def text_timestamped(segments: Sequence[Segment], names: Names) -> str:
    return "\n".join(
        f"[{minutes(s.start)}] {speaker_name(names, s.speaker)}: {one_line(s.text)}"
        for s in segments
    )


def webvtt(segments: Sequence[Segment], names: Names | None) -> str:
    """Return WebVTT with a voice span for each cue; without names if `names` is None.

    `&`, `<` and `>` are escaped (W3C WebVTT, section 3.5).
    """
    cues = [
        f"{clock(s.start)} --> {clock(s.end)}\n"
        f"{_voice(names, s.speaker)}{escape(_two_lines(s.text), quote=False)}"
        for s in segments
    ]
    return "\n\n".join(["WEBVTT", *cues]) + "\n"


def _voice(names: Names | None, speaker: int) -> str:
    if names is None:
        return ""
    return f"<v {escape(one_line(speaker_name(names, speaker)), quote=False)}>"


def srt(segments: Sequence[Segment], names: Names | None) -> str:
    """Return SubRip; without names if `names` is None."""
    cues = [
        f"{number}\n{clock(s.start, ',')} --> {clock(s.end, ',')}\n"
        f"{_two_lines(s.text if names is None else f'{speaker_name(names, s.speaker)}: {s.text}')}\n"
        for number, s in enumerate(segments, start=1)
    ]
    return "\n".join(cues)


def json_segments(segments: Sequence[Segment], names: Names) -> list[dict[str, object]]:
    return [
        {
            "speaker": s.speaker,
            "speaker_name": speaker_name(names, s.speaker),
            "text": s.text,
            "start": s.start,
            "end": s.end,
        }
        for s in segments
    ]


RENDER: dict[TextFormat, Callable[[Sequence[Segment], Names], Any]] = {
    TextFormat.TEXT: text,
    TextFormat.TEXT_TIMESTAMPED: text_timestamped,
    TextFormat.WEBVTT_NAMED: webvtt,
    TextFormat.JSON: json_segments,
}


def minutes(seconds: float) -> str:
    """Return `MM:SS`; minutes may exceed 59."""
    whole = int(seconds)
    return f"{whole // 60:02d}:{whole % 60:02d}"


def clock(seconds: float, separator: str = ".") -> str:
    """Return `HH:MM:SS.mmm`."""
    milliseconds = round(seconds * 1000)
    whole, fraction = divmod(milliseconds, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{separator}{fraction:03d}"


def one_line(value: str) -> str:
    """Remove line ends and control characters, which could begin another cue or speaker."""
    return " ".join(CONTROL.sub(" ", value).split())


def _two_lines(value: str) -> str:
    """Split a cue's text into at most two lines, near its middle, if it exceeds 42 characters."""
    text = one_line(value).replace("-->", "->")  # would be read as a cue's times
    if len(text) <= LINE_CHARACTERS:
        return text
    half = (len(text) + 1) // 2
    spaces = [index for index, character in enumerate(text) if character == " "]
    at = min(spaces, key=lambda index: abs(index - half), default=None)
    if at is None:
        return f"{text[:half]}\n{text[half:]}"
    return f"{text[:at]}\n{text[at + 1 :]}"
