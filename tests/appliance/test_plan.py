"""From a configuration and flags to the application's settings."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import cli
from appliance.config import ApplianceConfig
from appliance.config.flags import with_flags
from appliance.configure.environment import address, render, settings_of
from appliance.configure.placement import place
from appliance.errors import ConfigError
from appliance.machine.facts.model import Interface
from reflector.runtime.settings import Settings
from tests.appliance.test_placement import MACHINE, card, config, with_cards

SECRET = "a secret of sixteen letters or more"


def settings(chosen: ApplianceConfig, facts: Any = MACHINE) -> dict[str, str]:
    return settings_of(facts, chosen, place(facts, chosen))


CONFIGS: list[dict[str, Any]] = [
    {},
    {"speech": {"on": "hosted", "url": "https://gpu.example.org/"}},
    {"llm": {"on": "ollama-cpu", "model": "mistral"}},
    {"llm": {"on": "external", "url": "https://llm.example.org/v1"}},
    {"storage": {"on": "garage"}},
    {"storage": {"on": "s3", "endpoint": "https://s3.example.org"}},
    {"proxy": {"domain": "meetings.example.org"}},
    {"proxy": {"ip": "2001:db8::7"}},
    {"proxy": {"caddy": False}},
    {"access": {"public": True}},
    {"speech": {"diarization": False}},
]


@pytest.mark.parametrize("values", CONFIGS, ids=str)
def test_application_takes_every_setting_that_is_rendered(values: dict[str, Any]) -> None:
    found = settings(ApplianceConfig.model_validate(values))
    assert set(found) <= set(Settings.model_fields)
    loaded = Settings(**{**found, "SECRET_KEY": SECRET})  # type: ignore[arg-type]
    assert loaded.database_url.startswith("postgresql+psycopg://")
    assert not loaded.has_own_worker


def test_login_is_required_unless_public_is_asked_for() -> None:
    assert settings(ApplianceConfig())["AUTH_BACKEND"] == "password"
    public = ApplianceConfig.model_validate({"access": {"public": True}})
    assert settings(public)["PUBLIC_MODE"] == "true"


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ({"domain": "a.example.org"}, "a.example.org"),
        ({"ip": "2001:db8::7"}, "[2001:db8::7]"),
        ({}, "192.0.2.9"),
    ],
)
def test_address_is_what_people_type(proxy: dict[str, str], expected: str) -> None:
    interfaces = (Interface("eth0", ("2001:db8::1", "192.0.2.9")),)
    facts = type(MACHINE)(**{**vars(MACHINE), "interfaces": interfaces})
    assert address(facts, ApplianceConfig.model_validate({"proxy": proxy})) == expected
    assert address(MACHINE, ApplianceConfig()) == "server.local"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "passthrough"),
        ({"llm": {"on": "ollama-cpu"}}, "modal"),
        ({"speech": {"on": "hosted", "url": "https://gpu.example.org"}}, "modal"),
    ],
    ids=str,
)
def test_nothing_is_translated_where_nothing_can(values: dict[str, Any], expected: str) -> None:
    assert settings(ApplianceConfig.model_validate(values))["TRANSLATION_BACKEND"] == expected


def test_card_reaches_the_settings() -> None:
    found = settings(config(), with_cards(card(24), card(24, number=2)))
    assert found["SPEECH_DEVICE"] == "cuda:0,1"
    assert found["WHISPER_MODEL"] == "large-v3-turbo"


def test_topics_wait_for_the_end_only_where_they_would_slow_the_words() -> None:
    both = ApplianceConfig.model_validate({"llm": {"on": "ollama-gpu"}})
    assert "LIVE_TOPICS" not in settings(both, with_cards(card(24)))
    outside = {"llm": {"on": "external", "url": "https://llm.example.org/v1"}}
    assert "LIVE_TOPICS" not in settings(ApplianceConfig.model_validate(outside))


def test_values_survive_the_file() -> None:
    """Quotes, dollars and backslashes, read as systemd and a shell read them."""
    values = {"A": 'a "b" $c `d` \\e', "B": ""}
    lines = [line for line in render(values).splitlines() if not line.startswith("#")]
    read = dict(shlex.split(line)[0].split("=", 1) for line in lines)
    assert {**read, "A": read["A"].replace("\\$", "$").replace("\\`", "`")} == values


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"gpu": True}, {"speech": {"on": "gpu"}}),
        ({"cpu": True}, {"speech": {"on": "cpu"}}),
        ({"hosted": "https://g.example.org/"}, {"speech": {"on": "hosted", "url": "https://g.example.org/"}}),
        ({"ollama_gpu": True}, {"llm": {"on": "ollama-gpu"}}),
        ({"ollama_cpu": True, "llm_model": "mistral"}, {"llm": {"on": "ollama-cpu", "model": "mistral"}}),
        ({"garage": True}, {"storage": {"on": "garage"}}),
        ({"caddy": True}, {"proxy": {"caddy": True}}),
        ({"caddy": False}, {"proxy": {"caddy": False}}),
        ({"domain": "a.example.org"}, {"proxy": {"domain": "a.example.org"}}),
        ({"ip": "192.0.2.7"}, {"proxy": {"ip": "192.0.2.7"}}),
    ],
    ids=str,
)  # fmt: skip
def test_flag_is_the_same_as_a_line_in_the_file(
    flags: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert with_flags(ApplianceConfig(), flags) == ApplianceConfig.model_validate(expected)


def test_flag_goes_before_the_file_and_leaves_the_rest() -> None:
    before = ApplianceConfig.model_validate({
        "speech": {"on": "hosted", "url": "https://g.example.org"},
        "proxy": {"domain": "a.example.org"}, "access": {"admin": "anna@example.org"},
    })  # fmt: skip
    after = with_flags(before, {"cpu": True, "ip": "192.0.2.7"})
    assert (after.speech.on, after.speech.url) == ("cpu", None)
    assert (after.proxy.ip, after.proxy.domain) == ("192.0.2.7", None)
    assert after.access == before.access


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"gpu": True, "cpu": True}, "--gpu and --cpu exclude each other"),
        ({"cpu": True, "hosted": "https://g.example.org"}, "--cpu and --hosted"),
        ({"ollama_gpu": True, "ollama_cpu": True}, "--ollama-gpu and --ollama-cpu"),
        ({"domain": "a.example.org", "ip": "192.0.2.7"}, "--domain and --ip"),
        ({"domain": "a.example.org", "caddy": False}, "--no-caddy and --domain"),
        ({"domain": "localhost"}, "is not a domain name"),
        ({"ip": "here"}, "is not an IP address"),
        ({"hosted": "nowhere"}, "valid URL"),
    ],
    ids=str,
)
def test_flags_that_make_no_sense_are_refused(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        with_flags(ApplianceConfig(), flags)
    assert said in refused.value.message


def test_command_shows_what_would_be(tmp_path: Path) -> None:
    runner = CliRunner()
    arguments = [
        "plan",
        "--config",
        str(tmp_path / "none.toml"),
        "--cpu",
        "--domain",
        "a.example.org",
    ]
    shown = runner.invoke(cli, arguments)
    assert shown.exit_code == 0, shown.output
    assert '+BASE_URL="https://a.example.org"' in shown.output
    data = json.loads(runner.invoke(cli, [*arguments, "--json"]).output)
    assert data["speech_device"] == "cpu"
    assert data["settings"]["SPEECH_DEVICE"] == "cpu"
    assert "SECRET" not in shown.output
