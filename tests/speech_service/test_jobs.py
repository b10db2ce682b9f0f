"""Jobs: found again under their name, gone on with after a kill, stopped when nobody asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import SAMPLE, needs_diarization
from tests.speech_service.conftest import SpeechServer, speech_server
from tests.speech_service.test_scheduling import meeting
from tests.waiting import PATIENCE, wait_until

__all__ = ["meeting"]  # a fixture

FORM = {"kind": "transcription", "language": "en"}


def put(server: SpeechServer, name: str, content: bytes, **form: str) -> httpx2.Response:
    files = {"file": ("a.wav", content)}
    return server.http.put(f"/v1/jobs/{name}", files=files, data={**FORM, **form})


def get(server: SpeechServer, name: str) -> dict[str, Any]:
    answer = server.http.get(f"/v1/jobs/{name}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def events(server: SpeechServer, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    with server.http.stream("GET", f"/v1/jobs/{name}/events") as answer:
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


def ended(server: SpeechServer, name: str, seconds: float = PATIENCE) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job = get(server, name)
        return job if job["state"] in {"done", "failed"} else None

    found: dict[str, Any] = wait_until(look, "the job ends", seconds)
    return found


def windows_of(server: SpeechServer, name: str) -> int:
    path = server.data / "speech-jobs" / name / "windows.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_job_tells_its_progress_phrases_and_result(speech: SpeechServer) -> None:
    assert put(speech, "job-with-events", SAMPLE.read_bytes()).status_code == 200
    seen = list(events(speech, "job-with-events"))
    kinds = [kind for kind, _ in seen]
    assert kinds[-1] == "ended"
    result = seen[-1][1]
    assert (result["state"], result["error"]) == ("done", None)
    text = "".join(word[0] for word in result["result"]["words"])
    assert text.startswith(" Good morning")
    assert result["result"]["report"]["device"] == "cpu"
    assert list(events(speech, "job-with-events")) == [seen[-1]]


def test_second_put_of_a_name_is_the_job_there_is(speech: SpeechServer) -> None:
    first = put(speech, "same-name", SAMPLE.read_bytes()).json()
    again = put(speech, "same-name", b"nothing of the kind")
    assert (again.status_code, again.json()["duration"]) == (200, first["duration"])
    ended(speech, "same-name")


def test_fetched_job_can_be_removed(speech: SpeechServer) -> None:
    put(speech, "to-be-removed", SAMPLE.read_bytes())
    assert ended(speech, "to-be-removed")["state"] == "done"
    assert speech.http.delete("/v1/jobs/to-be-removed").status_code == 200
    gone = speech.http.get("/v1/jobs/to-be-removed")
    assert (gone.status_code, gone.json()["detail"]) == (404, "Job not found")
    assert not (speech.data / "speech-jobs" / "to-be-removed").exists()


def test_removed_job_ends_its_work(speech: SpeechServer, meeting: bytes) -> None:
    put(speech, "cancelled-job", meeting)
    wait_until(lambda: windows_of(speech, "cancelled-job") > 0, "it has begun")
    speech.http.delete("/v1/jobs/cancelled-job")
    put(speech, "after-cancelled", SAMPLE.read_bytes(), priority="live")
    assert ended(speech, "after-cancelled")["state"] == "done"
    assert not (speech.data / "speech-jobs" / "cancelled-job").exists()


@needs_diarization
def test_job_of_speakers(speech: SpeechServer) -> None:
    put(speech, "speakers-job", SAMPLE.read_bytes(), kind="diarization", max_speakers="2")
    result = ended(speech, "speakers-job")["result"]
    assert {turn["speaker"] for turn in result["diarization"]} == {0, 1}


def test_killed_service_goes_on_and_computes_no_window_twice(
    tmp_path: Path, speech: SpeechServer, meeting: bytes
) -> None:
    with speech_server(tmp_path) as server:
        assert put(server, "killed-job", meeting).status_code == 200
        wait_until(lambda: windows_of(server, "killed-job") >= 3, "some windows are done")
        server.kill()
        before = windows_of(server, "killed-job")
        path = tmp_path / "speech-jobs" / "killed-job" / "windows.jsonl"
        with path.open("ab") as file:
            file.write(b'["half a li')
    with speech_server(tmp_path) as server:
        job = get(server, "killed-job")
        assert job["state"] in {"waiting", "running"}
        known: set[str] = set()

        def more() -> bool:
            lines = path.read_text().splitlines() if path.exists() else []
            known.update(json.loads(line)[0] for line in lines if line.endswith("]"))
            return len(lines) > before

        wait_until(more, "it goes on with the next window")
        result = ended(server, "killed-job")
        assert result["state"] == "done"
    put(speech, "never-killed", meeting)
    alone = ended(speech, "never-killed")
    assert result["result"]["words"] == alone["result"]["words"]
    assert len(known) >= before


def test_ended_job_is_there_after_a_restart(tmp_path: Path) -> None:
    with speech_server(tmp_path) as server:
        put(server, "ended-before", SAMPLE.read_bytes())
        before = ended(server, "ended-before")
    with speech_server(tmp_path) as server:
        assert get(server, "ended-before") == before


@pytest.mark.parametrize(
    ("content", "form", "sentence"),
    [
        (b"RIFF nonsense", {}, "cannot be read as audio"),
        (b"", {}, "File is empty"),
        (b"x", {"kind": "video"}, "kind has to be"),
        (b"x", {"kind": "diarization", "max_speakers": "many"}, "max_speakers has to be"),
        (b"x", {"temperature": "hot"}, "temperature has to be"),
    ],
)
def test_job_that_cannot_be_is_refused(
    speech: SpeechServer, content: bytes, form: dict[str, str], sentence: str
) -> None:
    refused = put(speech, "refused-job", content, **form)
    assert refused.status_code == 400
    assert sentence in refused.json()["detail"]
    assert speech.http.get("/v1/jobs/refused-job").status_code == 404


@pytest.mark.parametrize("name", ["../../../etc", "short", "a" * 100, "with space", "%2e%2e%2f%2e"])
def test_name_that_is_no_name_is_refused(speech: SpeechServer, name: str) -> None:
    assert put(speech, name, SAMPLE.read_bytes()).status_code in {404, 405, 422}


def test_too_many_jobs_are_told_to_come_again(tmp_path: Path, meeting: bytes) -> None:
    with speech_server(tmp_path, SPEECH_JOBS="1", SPEECH_REQUESTS="2") as server:
        put(server, "first-job", meeting)
        refused = put(server, "second-job", SAMPLE.read_bytes())
        assert (refused.status_code, "waiting already" in refused.text) == (503, True)
        assert refused.headers["retry-after"]
        server.http.delete("/v1/jobs/first-job")
        assert put(server, "second-job", SAMPLE.read_bytes()).status_code == 200
        ended(server, "second-job")
