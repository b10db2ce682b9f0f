"""Choose the analyst that the settings name."""

from __future__ import annotations

from reflector.language.client import LanguageModel
from reflector.language.extractive import ExtractiveAnalyst
from reflector.language.llm import LLMAnalyst
from reflector.language.meeting import Analyst
from reflector.runtime.settings import Settings


def choose_analyst(settings: Settings) -> Analyst:
    """Return a language model analyst if LLM_URL is set, extraction otherwise."""
    if settings.LLM_URL:
        return LLMAnalyst(LanguageModel(settings))
    return ExtractiveAnalyst()
