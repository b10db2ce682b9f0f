"""Translate with the language model."""

from __future__ import annotations

from reflector.language.budget import pack, room_for_text
from reflector.language.client import LanguageModel
from reflector.language.meeting import Answer
from reflector.language.prompts import TRANSLATE


class TranslationAnswer(Answer):
    text: str


class LLMTranslator:
    """Implement `Translator`.

    Text is split into parts that fit the window with their translation.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return f"language model {self._model.model}"

    def identity(self, source: str, target: str) -> str:
        return self._model.identity([TRANSLATE])

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate `text`. Raises LanguageError if the model gives no usable answer."""
        instructions = TRANSLATE.format(source=source, target=target)
        room = room_for_text(self._model.window, instructions) // 2
        parts = ["\n".join(lines) for lines in pack(text.split("\n"), room)]
        return "\n".join(
            self._model.ask(instructions, part, TranslationAnswer, temperature=0.0).text
            for part in parts
        )
