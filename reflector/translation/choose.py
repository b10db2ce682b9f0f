"""Choose the translator that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable

from reflector.errors import ModelUnavailable
from reflector.language.client import LanguageModel
from reflector.runtime.settings import Settings
from reflector.translation.ctranslate import CTranslateTranslator
from reflector.translation.llm import LLMTranslator
from reflector.translation.remote import RemoteTranslator
from reflector.translation.translator import Translator


def _llm(settings: Settings) -> Translator:
    if not settings.LLM_URL:
        raise ModelUnavailable("Nothing here translates.", "Set LLM_URL to a language model.")
    return LLMTranslator(LanguageModel(settings))


TRANSLATORS: dict[str, Callable[[Settings], Translator]] = {
    "ctranslate2": CTranslateTranslator,
    "marian": CTranslateTranslator,  # the reference's name
    "llm": _llm,
    "modal": RemoteTranslator,
}


def choose_translator(settings: Settings) -> Translator | None:
    """Return the translator that TRANSLATION_BACKEND names, for workers; None for `passthrough`."""
    make = TRANSLATORS.get(settings.TRANSLATION_BACKEND)
    return make(settings) if make else None


class OwnTranslators:
    """Implement `Translator` for the speech service: its own models, or the language model."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = CTranslateTranslator(settings)

    @property
    def name(self) -> str:
        return self._own.name

    def identity(self, source: str, target: str) -> str:
        return self._for(source, target).identity(source, target)

    def translate(self, text: str, source: str, target: str) -> str:
        """Translate `text`. Raises ModelUnavailable if nothing here can."""
        return self._for(source, target).translate(text, source, target)

    def _for(self, source: str, target: str) -> Translator:
        if self._settings.TRANSLATION_BACKEND == "llm":
            return _llm(self._settings)
        if self._settings.LLM_URL and not self._own.is_meant(source, target):
            return _llm(self._settings)
        return self._own
