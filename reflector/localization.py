"""Say things in the language of their reader: on pages, and in e-mail.

The texts in the code are English and are their own keys (gettext). `locale/LANGUAGE.po` has the
translations; `tools/messages.py` keeps them complete. Texts of JavaScript modules are in the same
catalogue and go into the page as JSON.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from babel import Locale, dates
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from reflector.errors import ReflectorError, filled

FOLDER = Path(__file__).parent / "web" / "locale"
ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
# Every text is marked and the page runs from right to left (the code is CLDR's): a text without the
# mark has not been made translatable. Not offered, and chosen by the cookie alone
PSEUDO = "ar-XB"
# With more numbers no language has another plural
PLURAL_SAMPLES = 200


@dataclass
class Language:
    """A language of the pages. `tag` is its BCP 47 tag."""

    tag: str

    @property
    def direction(self) -> str:
        return "rtl" if self.tag == PSEUDO else "ltr"

    @cached_property
    def locale(self) -> Locale:
        """The rules for dates; the pseudo language has those of English."""
        return Locale.parse(ENGLISH if self.tag == PSEUDO else self.tag)

    @cached_property
    def catalog(self) -> Catalog:
        path = FOLDER / f"{self.tag}.po"
        if not path.exists():
            return Catalog(self.locale)
        with path.open("rb") as file:
            return read_po(file, locale=self.locale)

    @cached_property
    def translations(self) -> Translations:
        binary = io.BytesIO()
        write_mo(binary, self.catalog)
        binary.seek(0)
        return Translations(binary)

    def gettext(self, text: str) -> str:
        return f"⟦{text}⟧" if self.tag == PSEUDO else self.translations.gettext(text)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        text = self.translations.ngettext(singular, plural, number)
        return f"⟦{text}⟧" if self.tag == PSEUDO else text

    @cached_property
    def for_modules(self) -> dict[str, Any] | None:
        """Return what the modules of the pages need; None if that is nothing.

        These are their own texts, and the sentences of errors that the API answers.

        `plurals` is which form of a text belongs to which of CLDR's plural categories.
        """
        if self.tag == PSEUDO:
            return {"pseudo": True}
        if self.tag == ENGLISH:
            return None
        texts = {
            _key(message.id): message.string
            for message in self.catalog
            if message.id and any(not file.endswith(".html") for file, _ in message.locations)
        }
        form = self.translations.plural
        plurals = {self.locale.plural_form(n): form(n) for n in range(PLURAL_SAMPLES)}
        return {"texts": texts, "plurals": plurals}


def _key(message_id: str | list[str] | tuple[str, ...]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


@cache
def language(tag: str) -> Language:
    return Language(tag)


_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def current() -> Language:
    return language(_current.get())


@contextmanager
def shown_in(tag: str) -> Iterator[Language]:
    """Translate into this language within the block."""
    before = _current.set(tag)
    try:
        yield language(tag)
    finally:
        _current.reset(before)


def gettext(text: str) -> str:
    return current().gettext(text)


def ngettext(singular: str, plural: str, number: int) -> str:
    return current().ngettext(singular, plural, number)


def sentence(problem: object) -> str:
    """Return an error, its `parts` or a sentence in the language of the page."""
    parts = problem.parts if isinstance(problem, ReflectorError) else problem
    if isinstance(parts, list):
        return " ".join(filled(gettext(text), values) for text, values in parts)
    return gettext(str(parts))


def day(moment: datetime) -> str:
    return dates.format_date(moment, "medium", locale=current().locale)


def moment(value: datetime) -> str:
    """Return date and time in UTC: the server does not know where its reader is."""
    text = dates.format_datetime(value, "medium", tzinfo=UTC, locale=current().locale)
    return f"{text} UTC"
