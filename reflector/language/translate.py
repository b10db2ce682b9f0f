"""Text in another language, by the language model."""

from __future__ import annotations

import re
from typing import Protocol

from reflector.errors import InvalidInput, ModelUnavailable
from reflector.language.budget import pack, room_for_text
from reflector.language.client import LanguageModel
from reflector.language.meeting import Answer
from reflector.language.prompts import TRANSLATE
from reflector.settings import Settings

# BCP 47 as far as it names languages, scripts and regions
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class TranslationAnswer(Answer):
    text: str


class Translator(Protocol):
    def translate(self, text: str, source: str, target: str) -> str:
        """`text` from the language `source` in `target`, codes like `en`."""


class LLMTranslator:
    """Implements `Translator`. Parts that fit the model's window, and their translation with them."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def translate(self, text: str, source: str, target: str) -> str:
        """LanguageError where the model gives no usable answer."""
        instructions = TRANSLATE.format(source=source, target=target)
        room = room_for_text(self._model.window, instructions) // 2
        parts = ["\n".join(lines) for lines in pack(text.split("\n"), room)]
        return "\n".join(
            self._model.ask(instructions, part, TranslationAnswer, temperature=0.0).text
            for part in parts
        )


def choose_translator(settings: Settings) -> Translator:
    """ModelUnavailable where nothing here translates."""
    if not settings.LLM_URL:
        raise ModelUnavailable("Nothing here translates.", "Set LLM_URL to a language model.")
    return LLMTranslator(LanguageModel(settings))


def checked_language(code: str) -> str:
    """InvalidInput for what is no code of a language."""
    if not LANGUAGE.fullmatch(code):
        raise InvalidInput(f"{code[:40]} is no code of a language: write it like en or pt-BR.")
    return code
