"""Export as Markdown."""

from __future__ import annotations

import re

from reflector.transcript.formats import minutes
from reflector.transcripts.exports.document import Document

HEADING = re.compile(r"^(#+) ", re.MULTILINE)


def markdown(document: Document) -> str:
    lines = [f"# {document.title}", ""]
    if document.long_summary:
        lines += [HEADING.sub(r"#\1 ", document.long_summary).strip(), ""]
    for heading, items in document.actions():
        entries = [f"- {text}" + (f" ({detail})" if detail else "") for text, detail in items]
        lines += [f"## {heading}", "", *entries, ""]
    if document.topics:
        lines += ["## Topics", ""]
        lines += [
            f"- [{minutes(t['timestamp'])}] **{t['title']}** – {t['summary']}"
            for t in document.topics
        ]
        lines.append("")
    lines += ["## Transcript", ""]
    for part in document.segments:
        lines += [f"**{document.name(part.speaker)}** [{minutes(part.start)}] {part.text}", ""]
    return "\n".join(lines)
