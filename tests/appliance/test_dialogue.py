"""A few questions, with what was found as their defaults."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from appliance.commands.dialogue import ask
from appliance.config import ApplianceConfig
from appliance.machine.facts.model import Facts
from tests.appliance.planning import facts_of


def answered(facts: Facts, *answers: str, config: ApplianceConfig | None = None) -> ApplianceConfig:
    found: list[ApplianceConfig] = []

    @click.command()
    def command() -> None:
        found.append(ask(facts, config or ApplianceConfig()))

    result = CliRunner().invoke(command, input="".join(f"{answer}\n" for answer in answers))
    assert result.exit_code == 0, result.output
    return found[0]


@pytest.mark.parametrize(
    ("facts", "answers", "expected"),
    [
        ({}, ["", "", ""], {"speech": {"on": "cpu"}}),
        ({"cards": [24]}, ["", "", ""], {"speech": {"on": "gpu"}}),
        ({"cards": [24], "driver": "none"}, ["", "", ""], {"speech": {"on": "cpu"}}),
        (
            {"cards": [24]}, ["", "here", "mistral", ""],
            {"speech": {"on": "gpu"}, "llm": {"on": "ollama-gpu", "model": "mistral"}},
        ),
        (
            {}, ["cpu", "elsewhere", "https://llm.example.org/v1", "gpt", "meetings.example.org"],
            {
                "speech": {"on": "cpu"},
                "llm": {"on": "external", "url": "https://llm.example.org/v1", "model": "gpt"},
                "proxy": {"domain": "meetings.example.org"},
            },
        ),
    ],
    ids=str,
)  # fmt: skip
def test_answers_become_the_configuration(
    facts: dict[str, Any], answers: list[str], expected: dict[str, Any]
) -> None:
    assert answered(facts_of(facts), *answers) == ApplianceConfig.model_validate(expected)


def test_asked_again_enter_keeps_what_is_there() -> None:
    before = ApplianceConfig.model_validate(
        {
            "speech": {"on": "cpu"},
            "llm": {"on": "ollama-cpu", "model": "mistral"},
            "proxy": {"domain": "meetings.example.org"},
            "access": {"admin": "anna@example.org"},
        }
    )
    assert answered(facts_of({}), "", "", "", "", config=before) == before
    elsewhere = ApplianceConfig.model_validate(
        {
            "speech": {"on": "cpu"},
            "llm": {"on": "external", "url": "https://l.example.org/v1", "model": "m"},
        }
    )
    assert answered(facts_of({}), "", "", "", "", "", config=elsewhere) == elsewhere
    without = answered(facts_of({}), "", "none", "", config=elsewhere)
    assert (without.llm.on, without.llm.url) == ("none", None)
