"""Write the e-mail with a transcript, in the language of its reader, as plain text and as HTML."""

from __future__ import annotations

from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector import localization
from reflector.accounts.access import ANONYMOUS, Caller, may_read
from reflector.accounts.users import same_email
from reflector.db.models import Mail, Room, Transcript, User
from reflector.runtime.settings import Settings
from reflector.transcript.formats import minutes, one_line
from reflector.transcripts import queries
from reflector.transcripts.exports.document import Document, Options, file_name
from reflector.transcripts.exports.markdown import HEADING
from reflector.transcripts.exports.word import MEDIA_TYPE, word

FOLDER = Path(__file__).parent / "templates"
# Of the subject: longer ones are cut off by readers anyway
LONGEST_SUBJECT = 200


def compose(session: Session, settings: Settings, mail: Mail) -> EmailMessage:
    """Return the e-mail. The transcript is there, and its recipient may have it."""
    transcript = session.get_one(Transcript, mail.transcript_id)
    document = queries.document_of(session, transcript)
    with localization.shown_in(mail.language):
        values = _values(session, settings, mail, transcript, document)
        plain, html = (
            _templates().get_template(f"transcript.{kind}").render(values)
            for kind in ("txt", "html")
        )
    message = EmailMessage()
    sender = settings.SMTP_FROM_EMAIL or ""
    message["From"] = sender
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = one_line(document.title)[:LONGEST_SUBJECT]
    message["Date"] = format_datetime(mail.created_at.astimezone(UTC))
    # The same for each attempt: a reader whose server took one that we think failed shows it once
    message["Message-ID"] = f"<{mail.id}@{parseaddr(sender)[1].rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    # Not every server takes eight bits
    message.set_content(plain, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if document.words:
        maintype, subtype = MEDIA_TYPE.split("/")
        content, name = word(document, Options()), file_name(document.title)
        message.add_attachment(content, maintype, subtype, filename=f"{name}.docx")
    # After the parts, to which headers of their kind would go
    message["Content-Language"] = mail.language
    return message


def _values(
    session: Session, settings: Settings, mail: Mail, transcript: Transcript, document: Document
) -> dict[str, Any]:
    room = session.get(Room, mail.room_id) if mail.room_id else None
    sender = session.get(User, mail.user_id) if mail.user_id else None
    url = settings.page_url(f"transcripts/{transcript.id}")
    return {
        "document": document,
        "language": mail.language,
        "when": localization.moment(document.created_at),
        "length": minutes(document.duration),
        "names": sorted(set(document.names.values())) if document.words else [],
        "url": url if _may_open(session, mail.recipient, transcript) else None,
        "actions": [
            (localization.gettext(heading), items) for heading, items in document.actions()
        ],
        "room": room.name if room else None,
        "sender": sender.email if sender else None,
    }


def _may_open(session: Session, recipient: str, transcript: Transcript) -> bool:
    """Return whether the link would show the recipient anything but a login."""
    if may_read(ANONYMOUS, transcript):
        return True
    user = session.scalars(select(User).where(User.email == same_email(recipient))).first()
    return user is not None and may_read(Caller(user.id, user.email), transcript)


@cache
def _templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    found.install_gettext_callables(  # type: ignore[attr-defined]
        localization.gettext, localization.ngettext, newstyle=True
    )
    found.filters.update(markdown=_as_html, clock=minutes)
    return found


def _as_html(text: str) -> str:
    """Return Markdown as HTML whose headings are below those of the e-mail.

    It has no HTML of a model or a person, and nothing that a reader's program would fetch.
    """
    renderer = MarkdownIt("commonmark", {"html": False}).disable("image")
    return str(renderer.render(HEADING.sub(r"##\1 ", text)))
