"""Export as a Word document (Office Open XML), with styles that its reader can change."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from reflector.transcript.formats import minutes
from reflector.transcripts.exports.document import Document, Options

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HEADING = re.compile(r"(#+) +(.*)")
BULLET = re.compile(r"[-*] +(.*)")
BOLD = re.compile(r"\*\*(.+?)\*\*")
MAX_TITLE = 255  # of a document property (ECMA-376)
# Characters that XML 1.0 cannot represent
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def word(document: Document, options: Options) -> bytes:
    import docx  # takes half a second to import
    from docx.shared import Pt

    file = docx.Document()
    file.core_properties.title = _clean(document.title)[:MAX_TITLE]
    file.core_properties.author = ""
    file.core_properties.created = document.created_at.replace(tzinfo=None)
    file.add_heading(_clean(document.title), 0)
    file.add_paragraph(document.created_at.strftime("%Y-%m-%d %H:%M UTC"))
    if document.long_summary:
        file.add_heading("Summary", 1)
        _markdown(file, document.long_summary)
    for heading, items in document.actions():
        file.add_heading(heading, 1)
        for text, detail in items:
            paragraph = file.add_paragraph(_clean(text), style="List Bullet")
            if detail:
                paragraph.add_run(f" ({_clean(detail)})").italic = True
    if document.topics:
        file.add_heading("Topics", 1)
        for topic in document.topics:
            paragraph = file.add_paragraph(style="List Bullet")
            paragraph.add_run(f"[{minutes(topic['timestamp'])}] ")
            paragraph.add_run(_clean(topic["title"])).bold = True
            paragraph.add_run(f" – {_clean(topic['summary'])}")
    file.add_heading("Transcript", 1)
    for part in document.segments:
        paragraph = file.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(6)
        name, time = document.lead(part, options)
        if name:
            paragraph.add_run(f"{_clean(name)} ").bold = True
        paragraph.add_run(" ".join(filter(None, [time, _clean(part.text)])))
    out = BytesIO()
    file.save(out)
    return out.getvalue()


def _markdown(file: Any, text: str) -> None:
    """Add the Markdown of summaries: headings, lists and bold text."""
    for line in filter(None, map(str.strip, text.splitlines())):
        if match := HEADING.fullmatch(line):
            file.add_heading(_clean(match[2]), min(9, len(match[1]) + 1))
            continue
        bullet = BULLET.fullmatch(line)
        paragraph = file.add_paragraph(style="List Bullet" if bullet else None)
        for index, piece in enumerate(BOLD.split(bullet[1] if bullet else line)):
            paragraph.add_run(_clean(piece)).bold = bool(index % 2)


def _clean(value: str) -> str:
    return FORBIDDEN.sub("", value)
