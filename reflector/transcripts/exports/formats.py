"""List the export formats, with their media types and render functions."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pydantic_core import to_json

from reflector.transcript import formats
from reflector.transcript.words import cues
from reflector.transcripts.exports import word
from reflector.transcripts.exports.data import data
from reflector.transcripts.exports.document import Document
from reflector.transcripts.exports.markdown import markdown


class ExportFormat(StrEnum):
    TXT = "txt"
    VTT = "vtt"
    SRT = "srt"
    MD = "md"
    DOCX = "docx"
    JSON = "json"


Render = Callable[[Document], bytes]
EXPORTS: dict[ExportFormat, tuple[str, Render]] = {
    ExportFormat.TXT: (
        "text/plain; charset=utf-8",
        lambda d: formats.text_timestamped(d.segments, d.names).encode(),
    ),
    ExportFormat.VTT: ("text/vtt", lambda d: formats.webvtt(cues(d.words), d.names).encode()),
    ExportFormat.SRT: (
        "application/x-subrip",
        lambda d: formats.srt(cues(d.words), d.names).encode(),
    ),
    ExportFormat.MD: ("text/markdown; charset=utf-8", lambda d: markdown(d).encode()),
    ExportFormat.DOCX: (word.MEDIA_TYPE, word.word),
    ExportFormat.JSON: ("application/json", lambda d: to_json(data(d), indent=2)),
}
