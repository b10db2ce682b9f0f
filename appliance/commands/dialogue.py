"""A few questions, with what was found on the machine as their defaults."""

from __future__ import annotations

import click

from appliance.config.flags import with_flags
from appliance.config.model import ApplianceConfig, LanguageModelOn
from appliance.environment import address
from appliance.facts.model import Facts

PLACES = {
    LanguageModelOn.NONE: "none",
    LanguageModelOn.OLLAMA_CPU: "here",
    LanguageModelOn.OLLAMA_GPU: "here",
    LanguageModelOn.EXTERNAL: "elsewhere",
}


def ask(facts: Facts, config: ApplianceConfig) -> ApplianceConfig:
    """The configuration with the answers; Enter takes each default."""
    flags: dict[str, object] = {}
    usable = bool(facts.cards and facts.driver.version)
    if facts.cards and not usable:
        click.echo(
            "There is an NVIDIA card, but no driver that answers: speech runs on the CPU for now."
        )
    speech = _choose("Speech runs on", ["gpu", "cpu"], "gpu" if usable else "cpu")
    flags[speech] = True
    places = ["none", "here", "elsewhere"]
    where = _choose("Titles and summaries by a language model", places, PLACES[config.llm.on])
    url = None
    if where == "here":
        flags["ollama_gpu" if usable else "ollama_cpu"] = True
        flags["llm_model"] = click.prompt("Which one", default=config.llm.model)
    elif where == "elsewhere":
        there = str(config.llm.url) if config.llm.url else None
        url = click.prompt("Its address, like https://llm.example.org/v1", default=there)
        flags["llm_model"] = click.prompt(
            "Which model", default=config.llm.model if there else None
        )
    domain = click.prompt(
        f"Domain of this machine (empty: it is reached at {address(facts, config)})",
        default=config.proxy.domain or "", show_default=bool(config.proxy.domain),
    )  # fmt: skip
    if domain:
        flags["domain"] = domain
    values = with_flags(config, flags).model_dump(mode="json", exclude_none=True)
    if where == "none":
        values["llm"]["on"] = "none"
        values["llm"].pop("url", None)
    elif where == "elsewhere":
        values["llm"] |= {"on": "external", "url": url}
    return ApplianceConfig.model_validate(values)


def _choose(question: str, choices: list[str], default: str) -> str:
    return str(click.prompt(question, type=click.Choice(choices), default=default))
