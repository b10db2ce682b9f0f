"""Garage and Ollama, by their stand-ins in `tests/doubles`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.configure.effects import garage as garage_effect
from appliance.configure.effects import ollama as ollama_effect
from appliance.errors import ApplianceError
from appliance.machine.ollama import models
from tests.doubles.garage import Garage
from tests.doubles.ollama import Ollama

GIB = 1 << 30


@pytest.fixture
def garage() -> Iterator[Garage]:
    found = Garage("token")
    yield found
    found.close()


@pytest.fixture
def ollama() -> Iterator[Ollama]:
    found = Ollama(["qwen2.5:14b", "mistral"])
    yield found
    found.close()


def set_up(server: Garage) -> tuple[str, str]:
    client = garage_effect.Garage("token", server.url)
    client.wait(5)
    client.lay_out(100 * GIB)
    bucket = client.bucket("reflector-media")
    key = client.key("reflector")
    client.allow(bucket, key[0])
    client.close()
    return key


def test_garage_gets_layout_bucket_and_key(garage: Garage) -> None:
    key, secret = set_up(garage)
    assert [role["capacity"] for role in garage.roles] == [100 * GIB]
    assert garage.version == 1
    bucket = garage.buckets["reflector-media"]
    assert garage.allowed == [(bucket, key, {"read": True, "write": True, "owner": False})]
    assert len(secret) == 64


def test_garage_set_up_again_after_a_break_has_one_bucket_and_one_key(garage: Garage) -> None:
    set_up(garage)
    key, _ = set_up(garage)
    assert garage.version == 1
    assert list(garage.buckets) == ["reflector-media"]
    assert list(garage.keys) == [key]


def test_garages_refusal_is_said(garage: Garage) -> None:
    client = garage_effect.Garage("wrong", garage.url)
    with pytest.raises(ApplianceError, match=r"GetClusterStatus \(403\).*Invalid Authorization"):
        client.wait(0)
    client.close()


def test_garage_that_is_not_there_is_said() -> None:
    client = garage_effect.Garage("token", "http://127.0.0.1:9")
    with pytest.raises(ApplianceError, match="Garage does not answer"):
        client.wait(0)
    client.close()


def test_model_is_pulled_with_progress(ollama: Ollama) -> None:
    said: list[str] = []
    ollama_effect.pull("mistral", said.append, ollama.url)
    assert "mistral: pulling 8eeb52dfb3bb 50 %" in said
    assert said[-1] == "mistral: success"
    assert {"mistral", "mistral:latest"} <= models(ollama.url)


def test_model_that_does_not_exist_is_said_with_what_to_do(ollama: Ollama) -> None:
    with pytest.raises(ApplianceError, match="cannot pull qwen9: pull model manifest") as refused:
        ollama_effect.pull("qwen9", lambda line: None, ollama.url)
    assert "llm.model" in (refused.value.hint or "")


def test_pull_cut_off_half_way_is_said_and_goes_on(ollama: Ollama) -> None:
    ollama.break_off = True
    with pytest.raises(ApplianceError, match="Ollama stopped at “pulling 8eeb52dfb3bb 50 %”"):
        ollama_effect.pull("mistral", lambda line: None, ollama.url)
    assert "mistral" not in models(ollama.url)
    ollama_effect.pull("mistral", lambda line: None, ollama.url)
    assert "mistral" in models(ollama.url)


def test_ollama_that_is_not_there_has_no_models_and_is_said() -> None:
    assert models("http://127.0.0.1:9") == frozenset()
    with pytest.raises(ApplianceError, match="Ollama does not answer"):
        ollama_effect.wait("http://127.0.0.1:9", 0)
