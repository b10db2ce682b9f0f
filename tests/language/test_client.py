"""The language model's client against a server that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reflector.errors import LanguageError, Unavailable
from reflector.language.client import LanguageModel
from reflector.language.llm import TitleAnswer
from reflector.runtime.settings import Settings
from tests.doubles.language_server import GOOD, LanguageServer, language_server


@pytest.fixture
def llm() -> Iterator[LanguageServer]:
    with language_server() as server:
        yield server


@pytest.fixture
def ask(llm: LanguageServer, make_settings: Callable[..., Settings]) -> Callable[..., TitleAnswer]:
    def ask(**settings: Any) -> TitleAnswer:
        chosen = make_settings(LLM_URL=llm.url, LLM_API_KEY="sk-key", LLM_MODEL="m", **settings)
        return LanguageModel(chosen).ask("Instructions.", "Text.", TitleAnswer, 0.5)

    return ask


def in_turn(*answers: Any) -> Callable[[str, dict[str, Any]], Any]:
    waiting = list(answers)
    return lambda name, request: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def test_one_question_is_one_request_with_the_schema(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    ask()
    (request,) = llm.requests
    assert request["response_format"]["type"] == "json_schema"
    assert "title" in request["response_format"]["json_schema"]["schema"]["properties"]
    assert request["temperature"] == 0.5
    assert llm.headers[0]["authorization"] == "Bearer sk-key"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no JSON at all",
        '{"title": 5}',
        '{"titel": "x"}',
        '{"title": "Cut off',
        "null",
        '{"title": ""}',
    ],
)
def test_malformed_answer_is_sent_back_with_what_is_wrong(
    llm: LanguageServer, ask: Callable[..., TitleAnswer], wrong: str
) -> None:
    llm.answer = in_turn(wrong, GOOD["TitleAnswer"])
    assert ask().title == GOOD["TitleAnswer"]["title"]
    assert len(llm.requests) == 2
    repair = llm.requests[1]["messages"]
    assert [message["role"] for message in repair] == ["system", "user", "assistant", "user"]
    assert "cannot be used" in repair[3]["content"]


@pytest.mark.parametrize(
    "wrapped",
    [
        'Here you are:\n```json\n{"title": "Plan"}\n```',
        '<think>A {title}? Maybe "x".</think>{"title": "Plan"}',
        ' {"title": "Plan"} \n',
    ],
)
def test_answer_with_words_around_it_is_understood(
    llm: LanguageServer, ask: Callable[..., TitleAnswer], wrapped: str
) -> None:
    llm.answer = in_turn(wrapped)
    assert ask().title == "Plan"
    assert len(llm.requests) == 1


def test_answers_that_stay_wrong_end_in_a_sentence(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.answer = in_turn("never JSON")
    with pytest.raises(LanguageError, match="no usable answer"):
        ask(LLM_PARSE_MAX_RETRIES=2)
    assert len(llm.requests) == 3


def test_wrong_answer_that_is_long_is_not_sent_back_whole(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.answer = in_turn("x" * 100_000, GOOD["TitleAnswer"])
    ask()
    assert len(llm.requests[1]["messages"][2]["content"]) == 2000


@pytest.mark.parametrize(("status", "remedy"), [(401, "LLM_API_KEY"), (404, "LLM_MODEL")])
def test_refusal_names_the_setting_to_check(
    llm: LanguageServer, ask: Callable[..., TitleAnswer], status: int, remedy: str
) -> None:
    llm.answer = in_turn(status)
    with pytest.raises(LanguageError, match=remedy) as refused:
        ask()
    assert "sk-key" not in str(refused.value)


def test_server_that_is_not_there_is_one_sentence(make_settings: Callable[..., Settings]) -> None:
    with language_server() as gone:
        url = gone.url
    model = LanguageModel(make_settings(LLM_URL=url, LLM_PARSE_MAX_RETRIES=0))
    with pytest.raises(Unavailable, match="cannot be reached"):
        model.ask("I", "T", TitleAnswer, 0.5)


def test_server_that_does_not_answer_is_asked_later(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.hold.clear()
    with pytest.raises(Unavailable, match="did not answer within"):
        ask(LLM_REQUEST_TIMEOUT=0.3)


def test_passing_error_of_the_server_is_tried_again(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.answer = in_turn(503, GOOD["TitleAnswer"])
    assert ask().title


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_server_that_is_busy_or_broken_is_asked_later(
    llm: LanguageServer, ask: Callable[..., TitleAnswer], status: int
) -> None:
    llm.answer = in_turn(status)
    with pytest.raises(Unavailable, match="asked again"):
        ask()


@pytest.mark.parametrize("ollama", [False, True])
@pytest.mark.parametrize("field", ["thinking", "reasoning_content", "reasoning"])
def test_model_that_answers_in_its_thoughts_is_understood(
    llm: LanguageServer, ask: Callable[..., TitleAnswer], field: str, ollama: bool
) -> None:
    llm.ollama = ollama
    llm.message = {"content": "", field: 'They plan {something}. So: {"title": "Plan"}'}
    assert ask().title == "Plan"
    if ollama:
        assert llm.requests[0]["think"] is False


@pytest.mark.parametrize(
    ("refused", "formats", "temperatures"),
    [
        ({"json_schema"}, ["json_schema", "json_object"], [True, True]),
        ({"json_schema", "json_object"}, ["json_schema", "json_object", None], [True] * 3),
        ({"temperature"}, ["json_schema", "json_schema"], [True, False]),
        (
            {"temperature", "json_schema"},
            ["json_schema", "json_schema", "json_object"],
            [True, False, False],
        ),
    ],
)
def test_server_that_refuses_an_option_is_asked_without_it_from_then_on(
    llm: LanguageServer,
    make_settings: Callable[..., Settings],
    refused: set[str],
    formats: list[str | None],
    temperatures: list[bool],
) -> None:
    def answer(name: str, request: dict[str, Any]) -> Any:
        asked = {request.get("response_format", {}).get("type")} | set(request)
        if problem := sorted(asked & refused, reverse=True):
            return 400, f"{problem[0]} is not supported"
        return 'Of course: {"title": "Plan"}'

    llm.answer = answer
    model = LanguageModel(make_settings(LLM_URL=llm.url))
    assert model.ask("Instructions.", "Text.", TitleAnswer, 0.5).title == "Plan"
    asked = [request.get("response_format", {}).get("type") for request in llm.requests]
    assert asked == formats
    assert ["temperature" in request for request in llm.requests] == temperatures
    if formats[-1] != "json_schema":
        assert '"title"' in llm.requests[-1]["messages"][0]["content"]
    llm.requests.clear()
    model.ask("Instructions.", "Text.", TitleAnswer, 0.5)
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("refused", "limits"),
    [
        (set[str](), ["max_tokens"]),
        ({"max_tokens"}, ["max_tokens", "max_completion_tokens"]),
        ({"max_tokens", "max_completion_tokens"}, ["max_tokens", "max_completion_tokens", None]),
    ],
    ids=["none", "old name", "any"],
)
def test_model_that_never_stops_is_stopped(
    llm: LanguageServer,
    ask: Callable[..., TitleAnswer],
    refused: set[str],
    limits: list[str | None],
) -> None:
    """By whichever name the server knows for that."""

    def answer(name: str, request: dict[str, Any]) -> Any:
        if problem := set(request) & refused:
            return 400, f"Unsupported parameter: '{problem.pop()}'. Use another instead."
        return {"title": "Plan"}

    llm.answer = answer
    assert ask().title == "Plan"
    names = ("max_tokens", "max_completion_tokens")
    sent = [next((name for name in names if name in each), None) for each in llm.requests]
    assert sent == limits
    assert llm.requests[0]["max_tokens"] == 8000


def test_request_that_is_refused_in_every_form_ends_in_a_sentence(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.answer = in_turn(400)
    with pytest.raises(LanguageError, match=r"refused the request \(400\)"):
        ask()


def test_longest_object_in_prose_is_the_answer(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.answer = in_turn('I use {"a": 1} {braces}: {"title": "Plan {B}"} and that is {all}.')
    assert ask().title == "Plan {B}"


def test_ollama_is_told_its_context_length(
    llm: LanguageServer, ask: Callable[..., TitleAnswer]
) -> None:
    llm.ollama = True
    assert ask(LLM_CONTEXT_WINDOW=12_345).title
    assert llm.paths == ["/api/chat"]
    (request,) = llm.requests
    assert request["options"]["num_ctx"] == 12_345
    assert request["options"]["num_predict"] == 6_172
    assert request["format"]["properties"]["title"]
    assert json.dumps(request)  # plain data
