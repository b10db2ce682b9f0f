"""Export as Markdown."""

from __future__ import annotations

import re

from reflector.transcript.formats import minutes
from reflector.transcripts.exports.document import Document, Options

HEADING = re.compile(r"^(#+) ", re.MULTILINE)


def markdown(document: Document, options: Options = Options()) -> str:
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
        name, time = document.lead(part, options)
        lead = [f"**{name}**" if name else "", time]
        lines += [" ".join(filter(None, [*lead, part.text])), ""]
    return "\n".join(lines)
