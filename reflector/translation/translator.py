"""Define the interface of translators, and check language codes."""

from __future__ import annotations

import re
from typing import Protocol

from reflector.errors import InvalidInput

# BCP 47, limited to languages, scripts and regions
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Translator(Protocol):
    @property
    def name(self) -> str:
        """The model's name, for people."""

    def identity(self, source: str, target: str) -> str:
        """Return a name for the weights that translate from `source` to `target`.

        It is part of a step's digest. Raises the same errors as `translate`.
        """

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate `text` from `source` to `target`, codes like `en`; line by line.

        Raises UnknownLanguage if the translator does not support a language, and ModelUnavailable
        if its model is missing.
        """


def checked_language(code: str) -> str:
    """Return `code`. Raises InvalidInput if it is not a language code."""
    if not LANGUAGE.fullmatch(code):
        raise InvalidInput(f"{code[:40]} is no code of a language: write it like en or pt-BR.")
    return code


def base_language(code: str) -> str:
    """Return the language without region: `pt-BR` → `pt`."""
    return code.partition("-")[0].lower()
