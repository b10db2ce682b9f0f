"""Translation by a language model, with languages in the query and in the body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doubles.language_server import LanguageServer, language_server
from tests.speech_service.conftest import SpeechServer, speech_server
from tests.translation_model import madlad, marian


def shouted(name: str, request: dict[str, Any]) -> Any:
    """What was asked, in capitals, with the languages that it was asked for."""
    instructions, text = (message["content"] for message in request["messages"][:2])
    languages = [word for word in ("en", "de", "fr") if f"language {word} " in instructions]
    return {"text": f"{'>'.join(languages)} {text.upper()}"}


@pytest.fixture(scope="module")
def model() -> Iterator[LanguageServer]:
    with language_server() as server:
        server.answer = shouted
        yield server


@pytest.fixture(scope="module")
def translating(
    model: LanguageServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SpeechServer]:
    folder = tmp_path_factory.mktemp("translating")
    with speech_server(folder, LLM_URL=model.url, DIARIZATION_ENABLED="false") as server:
        yield server


def translate(server: SpeechServer, body: Any = None, **query: str) -> httpx2.Response:
    return server.http.post("/translate", params=query, json=body)


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ({"text": "Hello."}, None, {"en": "Hello.", "fr": "en>fr HELLO."}),
        (
            {"text": "Hello.", "source_language": "en", "target_language": "de"}, None,
            {"en": "Hello.", "de": "en>de HELLO."},
        ),
        (
            {"text": "Hallo."}, {"source_language": "de", "target_language": "en"},
            {"de": "Hallo.", "en": "en>de HALLO."},
        ),
        ({"text": "Hello.", "target_language": "en"}, None, {"en": "Hello."}),
        ({}, {"text": "Hi.", "target_language": "de"}, {"en": "Hi.", "de": "en>de HI."}),
        ({"text": "  "}, {"target_language": "de"}, {"en": "  ", "de": "  "}),
    ],
)  # fmt: skip
def test_languages_come_in_the_query_or_in_the_body(
    translating: SpeechServer, query: dict[str, str], body: Any, expected: dict[str, str]
) -> None:
    answer = translate(translating, body, **query)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"text": expected}


def test_long_text_is_translated_in_parts_and_none_is_lost(
    translating: SpeechServer, model: LanguageServer
) -> None:
    lines = [f"line {number} of a long text that has many of them" for number in range(600)]
    before = len(model.requests)
    answer = translate(translating, text="\n".join(lines), target_language="de")
    assert answer.status_code == 200, answer.text
    assert len(model.requests) - before > 1
    found = answer.json()["text"]["de"].replace("en>de ", "").split("\n")
    assert found == [line.upper() for line in lines]


@pytest.mark.parametrize("code", ["English", "e", "en;de", "../x"])
def test_what_is_no_language_is_refused(translating: SpeechServer, code: str) -> None:
    refused = translate(translating, text="Hello.", target_language=code)
    assert refused.status_code == 400
    assert "is no code of a language" in refused.json()["detail"]


def test_text_is_required(translating: SpeechServer) -> None:
    assert translate(translating).status_code == 422


def test_answer_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, translating: SpeechServer, model: LanguageServer
) -> None:
    model.answer = lambda name, request: json.dumps({"no": "text"})
    try:
        answer = translate(translating, text="Hello.")
    finally:
        model.answer = shouted
    assert answer.status_code == 502
    assert "gave no usable answer" in answer.json()["detail"]


def test_model_of_the_machine_goes_before_the_language_model(
    tmp_path: Path, model: LanguageServer
) -> None:
    marian(tmp_path / "models" / "opus-mt-en-fr", {"Hello.": "Bonjour."})
    environment = {"LLM_URL": model.url, "DIARIZATION_ENABLED": "false"}
    with speech_server(tmp_path, **environment) as server:
        french = translate(server, text="Hello.", target_language="fr")
        german = translate(server, text="Hello.", target_language="de")
    assert french.json()["text"]["fr"] == "Bonjour."
    assert german.json()["text"]["de"] == "en>de HELLO."


def test_language_that_the_model_does_not_know_is_refused(tmp_path: Path) -> None:
    madlad(tmp_path / "many", {"Hello.": "Bonjour."}, {"fr": "(fr)"})
    environment = {"TRANSLATION_MODEL": str(tmp_path / "many"), "DIARIZATION_ENABLED": "false"}
    with speech_server(tmp_path, **environment) as server:
        french = translate(server, text="Hello.", target_language="fr")
        icelandic = translate(server, text="Hello.", target_language="is")
    assert french.json()["text"]["fr"] == "(fr) Bonjour."
    assert icelandic.status_code == 400
    assert "does not know the language is" in icelandic.json()["detail"]


def test_service_without_a_translator_says_what_to_set(speech: SpeechServer) -> None:
    answer = translate(speech, text="Hello.")
    assert (answer.status_code, "LLM_URL" in answer.json()["detail"]) == (503, True)
