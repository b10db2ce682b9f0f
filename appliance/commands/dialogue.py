"""A few questions, with what was found on the machine as their defaults."""

from __future__ import annotations

import click

from appliance.config.flags import with_flags
from appliance.config.model import ApplianceConfig
from appliance.environment import address
from appliance.facts.model import Facts


def ask(facts: Facts, config: ApplianceConfig) -> ApplianceConfig:
    """The configuration with the answers; Enter takes each default."""
    flags: dict[str, object] = {}
    usable = bool(facts.cards and facts.driver.version)
    if facts.cards and not usable:
        click.echo(
            "There is an NVIDIA card, but no driver that answers: speech runs on the CPU for now."
        )
    speech = _choose("Speech runs on", ["gpu", "cpu"] if usable else ["cpu", "gpu"])
    flags[speech] = True
    where = _choose("Titles and summaries by a language model", ["none", "here", "elsewhere"])
    url = None
    if where == "here":
        flags["ollama_gpu" if usable else "ollama_cpu"] = True
        flags["llm_model"] = click.prompt("Which one", default=config.llm.model)
    elif where == "elsewhere":
        url = click.prompt("Its address, like https://llm.example.org/v1")
        flags["llm_model"] = click.prompt("Which model")
    domain = click.prompt(
        f"Domain of this machine (empty: it is reached at {address(facts, config)})",
        default="", show_default=False,
    )  # fmt: skip
    if domain:
        flags["domain"] = domain
    answered = with_flags(config, flags)
    if url is None:
        return answered
    values = answered.model_dump(mode="json", exclude_none=True)
    values["llm"] |= {"on": "external", "url": url}
    return ApplianceConfig.model_validate(values)


def _choose(question: str, choices: list[str]) -> str:
    return str(click.prompt(question, type=click.Choice(choices), default=choices[0]))
