"""A meeting in another language than its readers': translated by the tests' dictionary model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import HELD_OUT, reference
from tests.server import Server, running_server
from tests.translation_model import marian
from tests.waiting import wait_until

TARGET = "fr"


def backwards(word: str) -> str:
    return word[::-1]


def add_model(data: Path) -> None:
    words = {word for said in reference(HELD_OUT).words for word in (said[0], said[0].capitalize())}
    marian(data / "models" / f"opus-mt-en-{TARGET}", {word: backwards(word) for word in words})


@pytest.fixture
def translating(tmp_path: Path) -> Iterator[Server]:
    with running_server(
        tmp_path, TRANSLATION_BACKEND="ctranslate2", SPEECH_COMPUTE_TYPE="float32"
    ) as server:
        yield server


def test_what_was_said_is_translated_line_by_line(translating: Server) -> None:
    add_model(translating.data)
    transcript_id = translating.upload(HELD_OUT, target_language=TARGET)
    translating.wait_for_status(transcript_id, "ended")
    assert translating.steps(transcript_id)["translate"]["state"] == "done"
    found = translating.get(f"/v1/transcripts/{transcript_id}/translation")
    assert found["language"] == TARGET
    words = translating.get(f"/v1/transcripts/{transcript_id}/words")
    said = [word["text"].strip() for word in words]
    translated = found["text"].split()
    assert len(found["text"].split("\n")) > 1
    right = sum(word in translated for word in map(backwards, said))
    assert right > 0.9 * len(said)


def test_transcript_in_its_own_language_is_not_translated(translating: Server) -> None:
    transcript_id = translating.upload(HELD_OUT, target_language="en")
    translating.wait_for_status(transcript_id, "ended")
    assert "translate" not in translating.steps(transcript_id)
    missing = translating.http.get(f"/v1/transcripts/{transcript_id}/translation")
    assert missing.status_code == 404


def test_missing_model_costs_the_translation_only_and_it_is_made_later(translating: Server) -> None:
    transcript_id = translating.upload(HELD_OUT, target_language=TARGET)
    translating.wait_for_status(transcript_id, "ended")
    step = translating.steps(transcript_id)["translate"]
    assert step["state"] == "failed"
    assert f"opus-mt-en-{TARGET}" in step["error"]
    add_model(translating.data)
    again = translating.http.post(
        f"/v1/transcripts/{transcript_id}/process", params={"steps": "failed"}
    )
    again.raise_for_status()
    wait_until(
        lambda: translating.steps(transcript_id)["translate"]["state"] == "done", "it is translated"
    )
    assert translating.get(f"/v1/transcripts/{transcript_id}/translation")["text"]
