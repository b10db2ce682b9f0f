"""Define the interface of translators, and codes of languages."""

from __future__ import annotations

import re
from typing import Protocol

from reflector.errors import InvalidInput

# BCP 47 as far as it names languages, scripts and regions
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Translator(Protocol):
    @property
    def name(self) -> str:
        """Names the model, for people."""

    def identity(self, source: str, target: str) -> str:
        """Name the weights that translate from `source` to `target`, part of a step's digest.

        Errors as those of `translate`.
        """

    def translate(self, text: str, source: str, target: str) -> str:
        """Return `text` from the language `source` in `target`, codes like `en`; line by line.

        UnknownLanguage for a language that the translator does not know, ModelUnavailable where its
        model is missing.
        """


def checked_language(code: str) -> str:
    """Raise InvalidInput for what is no code of a language."""
    if not LANGUAGE.fullmatch(code):
        raise InvalidInput(f"{code[:40]} is no code of a language: write it like en or pt-BR.")
    return code


def base_language(code: str) -> str:
    """`pt-BR` → `pt`."""
    return code.partition("-")[0].lower()
