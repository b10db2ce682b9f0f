"""Ask a few questions, with defaults from the machine's facts."""

from __future__ import annotations

import click

from appliance.config.model import ApplianceConfig
from appliance.configure.environment import address
from appliance.configure.setup_answers import PLACES, Choices, Place, chosen, has_usable_card
from appliance.machine.facts.model import Facts


def ask(facts: Facts, config: ApplianceConfig) -> ApplianceConfig:
    """Return the configuration with the answers; Enter takes each default."""
    usable = has_usable_card(facts)
    if facts.cards and not usable:
        click.echo(
            "There is an NVIDIA card, but its driver does not answer. Speech runs on the CPU for now."
        )
    speech = _choose("Speech runs on", ["gpu", "cpu"], "gpu" if usable else "cpu")
    places = [place.value for place in Place]
    place = Place(
        _choose("Titles and summaries by a language model", places, PLACES[config.llm.on].value)
    )
    model = url = None
    if place is Place.HERE:
        model = click.prompt("Which one", default=config.llm.model)
    elif place is Place.ELSEWHERE:
        there = str(config.llm.url) if config.llm.url else None
        url = click.prompt("Its address, like https://llm.example.org/v1", default=there)
        model = click.prompt("Which model", default=config.llm.model if there else None)
    domain = click.prompt(
        f"Domain of this machine (empty: it is reached at {address(facts, config)})",
        default=config.proxy.domain or "", show_default=bool(config.proxy.domain),
    )  # fmt: skip
    return chosen(facts, config, Choices(speech, place, model, url, domain))


def _choose(question: str, choices: list[str], default: str) -> str:
    return str(click.prompt(question, type=click.Choice(choices), default=default))
