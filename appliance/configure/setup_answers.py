"""Turn the answers of the console or the setup page into a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance.config.flags import validated, with_flags
from appliance.config.model import ApplianceConfig, LanguageModelOn
from appliance.machine.facts.model import Facts


class Place(StrEnum):
    """Where the language model runs."""

    NONE = "none"
    HERE = "here"
    ELSEWHERE = "elsewhere"


PLACES = {
    LanguageModelOn.NONE: Place.NONE,
    LanguageModelOn.OLLAMA_CPU: Place.HERE,
    LanguageModelOn.OLLAMA_GPU: Place.HERE,
    LanguageModelOn.EXTERNAL: Place.ELSEWHERE,
}


@dataclass(frozen=True)
class Choices:
    """The answers.

    `speech` is gpu or cpu. `url` is the address of a language model elsewhere. `domain` is empty if
    there is none.
    """

    speech: str
    place: Place
    llm_model: str | None = None
    url: str | None = None
    domain: str = ""


def has_usable_card(facts: Facts) -> bool:
    return bool(facts.cards and facts.driver.version)


def chosen(facts: Facts, config: ApplianceConfig, choices: Choices) -> ApplianceConfig:
    """Return `config` with the choices applied. Raises ConfigError if the result is not valid."""
    flags: dict[str, object] = {choices.speech: True}
    if choices.place is Place.HERE:
        flags["ollama_gpu" if has_usable_card(facts) else "ollama_cpu"] = True
    if choices.place is not Place.NONE and choices.llm_model:
        flags["llm_model"] = choices.llm_model
    if choices.domain:
        flags["domain"] = choices.domain
    values = with_flags(config, flags).model_dump(mode="json", exclude_none=True)
    if choices.place is Place.NONE:
        values["llm"]["on"] = "none"
        values["llm"].pop("url", None)
    elif choices.place is Place.ELSEWHERE:
        values["llm"] |= {"on": "external", "url": choices.url or None}
    return validated(values, "answers")
