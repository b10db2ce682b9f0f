"""List the export formats, with their media types and render functions."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pydantic_core import to_json

from reflector.transcript import formats
from reflector.transcript.words import cues
from reflector.transcripts.exports import word
from reflector.transcripts.exports.data import data
from reflector.transcripts.exports.document import Document, Options
from reflector.transcripts.exports.markdown import markdown


class ExportFormat(StrEnum):
    TXT = "txt"
    VTT = "vtt"
    SRT = "srt"
    MD = "md"
    DOCX = "docx"
    JSON = "json"


Render = Callable[[Document, Options], bytes]


def text(document: Document, options: Options) -> str:
    """Return a line for each segment, like `[01:02] Anna: Yes.`"""
    lines = []
    for segment in document.segments:
        name, time = document.lead(segment, options)
        lead = [time, f"{name}:" if name else ""]
        lines.append(" ".join(filter(None, [*lead, formats.one_line(segment.text)])))
    return "\n".join(lines)


def subtitles(render: Callable[..., str]) -> Render:
    """Return the export for a format of subtitles, which always have times."""

    def export(document: Document, options: Options) -> bytes:
        names = document.names if options.names else None
        return render(cues(document.words), names).encode()

    return export


EXPORTS: dict[ExportFormat, tuple[str, Render]] = {
    ExportFormat.TXT: ("text/plain; charset=utf-8", lambda d, o: text(d, o).encode()),
    ExportFormat.VTT: ("text/vtt", subtitles(formats.webvtt)),
    ExportFormat.SRT: ("application/x-subrip", subtitles(formats.srt)),
    ExportFormat.MD: ("text/markdown; charset=utf-8", lambda d, o: markdown(d, o).encode()),
    ExportFormat.DOCX: (word.MEDIA_TYPE, word.word),
    ExportFormat.JSON: ("application/json", lambda d, _: to_json(data(d), indent=2)),
}
