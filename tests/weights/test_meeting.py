"""A whole meeting on real weights: real speech through the server, Whisper, a real diarizer, and a real
language model behind llama.cpp's own server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from jiwer import process_words

from bench.accuracy.recordings import telephone_call
from bench.accuracy.speakers import with_the_right_speaker, words_of_the_call
from bench.accuracy.voices import pipeline_of
from bench.accuracy.ways import plain
from reflector.language.client import LanguageModel
from reflector.language.llm import TitleAnswer
from reflector.runtime.settings import Settings
from reflector.transcript.words import Word
from tests.conftest import needs_diarization
from tests.server import Server, running_server
from tests.weights.llama_server import CONTEXT, llama_server
from tools.real_models import fetch

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600), needs_diarization]
# A model of 270 million parameters writes badly; that it answers in the form is what is looked at
MODEL = {"LLM_MODEL": "gemma-3-270m", "LLM_CONTEXT_WINDOW": str(CONTEXT)}


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("llm") / "log"
    with llama_server(fetch() / "gemma-3-270m" / "model.gguf", log) as url:
        yield url


@pytest.fixture(scope="module")
def server(llm: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    pipeline = pipeline_of(fetch(), tmp_path_factory.mktemp("pipeline") / "real")
    settings = {
        "WHISPER_MODEL": str(fetch() / "whisper-base"),
        "DIARIZATION_MODEL": str(pipeline),
        "LLM_URL": llm,
        **MODEL,
    }
    with running_server(data, 0, **settings) as started:
        yield started


@pytest.fixture(scope="module")
def call(server: Server) -> str:
    """The telephone conversation, uploaded and done."""
    _, _, rttm = telephone_call()
    transcript_id = server.upload(rttm.with_name("sample.wav"))
    server.wait_for_status(transcript_id, "ended", 1800)
    return transcript_id


def test_words_and_speakers_are_those_of_the_call(server: Server, call: str) -> None:
    _, said, rttm = telephone_call()
    rows = server.get(f"/v1/transcripts/{call}/words")
    words = [Word(row["text"], row["start"], row["end"], row["speaker"]) for row in rows]
    errors = process_words(plain(said), plain("".join(word.text for word in words)))
    assert errors.wer < 0.3
    right, of = with_the_right_speaker(words, words_of_the_call(rttm))
    assert of - right <= 3
    assert {word.speaker for word in words} == {0, 1}


def test_every_step_is_done_by_its_model(server: Server, call: str) -> None:
    steps = server.steps(call)
    assert {step["state"] for step in steps.values()} == {"done"}, steps
    assert {steps[name]["method"] for name in ("topics", "title", "summary")} == {"llm"}
    found = server.get(f"/v1/transcripts/{call}")
    assert found["title"]
    assert found["short_summary"]


def test_answer_has_the_form_that_the_server_enforces(
    llm: str, make_settings: Callable[..., Settings]
) -> None:
    model = LanguageModel(make_settings(LLM_URL=llm, **MODEL))
    answer = model.ask(
        "Give the conversation a title.", "Diane: Hello? Sheila: Hello?", TitleAnswer, 0.0
    )
    assert len(answer.title) >= 3
