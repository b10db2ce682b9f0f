"""The application with a speech service beside it: jobs that outlive both."""

from __future__ import annotations

import http.server
import io
import json
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HAS_DIARIZATION, HELD_OUT, SAMPLE
from tests.pipeline.test_way_of_a_file import spoken, words_of
from tests.server import Server, running_server
from tests.speech_service.conftest import KEY, SpeechServer, speech_server
from tests.speech_service.test_jobs import windows_of
from tests.speech_service.test_scheduling import meeting
from tests.waiting import PATIENCE, wait_until

__all__ = ["meeting"]  # a fixture


def asking(url: str) -> dict[str, str]:
    return {
        "TRANSCRIPT_BACKEND": "modal", "TRANSCRIPT_URL": url, "TRANSCRIPT_MODAL_API_KEY": KEY,
        "DIARIZATION_BACKEND": "modal", "DIARIZATION_URL": url, "DIARIZATION_MODAL_API_KEY": KEY,
    }  # fmt: skip


@pytest.fixture(scope="module")
def application(speech: SpeechServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("asking"), **asking(speech.url)) as server:
        yield server


def test_meeting_through_the_service_is_the_meeting_without_it(
    application: Server, server: Server, sample_id: str, speech: SpeechServer
) -> None:
    transcript_id = application.upload(SAMPLE)
    application.wait_for_status(transcript_id, "ended")
    assert words_of(application, transcript_id) == words_of(server, sample_id)
    if HAS_DIARIZATION:
        assert {w["speaker"] for w in words_of(application, transcript_id)} == {0, 1, 2}
    engine = application.steps(transcript_id)["transcribe"]["engine"]
    assert (engine["model"], engine["device"], engine["precision"]) == ("whisper", "cpu", "int8")
    assert "loaded" not in application.log.read_text()
    assert list((speech.data / "speech-jobs").glob("*/job.json")) == []


def test_service_killed_in_the_middle_costs_no_step(tmp_path: Path, meeting: bytes) -> None:
    def job() -> str | None:
        folders = list((tmp_path / "speech" / "speech-jobs").glob("*/windows.jsonl"))
        return folders[0].parent.name if folders else None

    with speech_server(tmp_path / "speech") as service:
        port = service.url.rpartition(":")[2]
        (tmp_path / "app").mkdir()
        settings = {**asking(service.url), "DIARIZATION_ENABLED": "false"}
        with running_server(tmp_path / "app", **settings) as server:
            transcript_id = server.create()
            server.send_chunk(transcript_id, meeting, name="a.wav").raise_for_status()
            name = wait_until(job, "the job has windows")
            wait_until(lambda: windows_of(service, name) >= 2, "two batches are done")
            service.kill()
            with speech_server(tmp_path / "speech", port=port):
                server.wait_for_status(transcript_id, "ended", 2 * PATIENCE)
                assert server.steps(transcript_id)["transcribe"]["attempt"] == 1
                assert len(spoken(words_of(server, transcript_id))) > 1000


def test_service_that_is_away_is_waited_for(tmp_path: Path) -> None:
    with speech_server(tmp_path / "speech") as service:
        port = service.url.rpartition(":")[2]
    (tmp_path / "app").mkdir()
    settings = {**asking(f"http://127.0.0.1:{port}"), "DIARIZATION_ENABLED": "false"}
    with running_server(tmp_path / "app", **settings) as server:
        transcript_id = server.upload(HELD_OUT)

        def put_off() -> bool:
            error = server.steps(transcript_id)["transcribe"]["error"]
            return "does not answer" in (error or "")

        wait_until(put_off, "the step says why it waits", 90)
        assert server.run(transcript_id)["status"] == "processing"
        with speech_server(tmp_path / "speech", port=port):
            server.wait_for_status(transcript_id, "ended")


def test_other_model_at_the_same_address_gives_its_own_words(tmp_path: Path) -> None:
    def precision(server: Server) -> str:
        return str(server.steps(transcript_id)["transcribe"]["engine"]["precision"])

    with speech_server(tmp_path / "speech", SPEECH_COMPUTE_TYPE="int8") as service:
        port = service.url.rpartition(":")[2]
        (tmp_path / "app").mkdir()
        settings = {**asking(service.url), "DIARIZATION_ENABLED": "false"}
        with running_server(tmp_path / "app", **settings) as server:
            transcript_id = server.upload(HELD_OUT)
            server.wait_for_status(transcript_id, "ended")
            assert precision(server) == "int8"
            service.stop()
            with speech_server(tmp_path / "speech", port=port, SPEECH_COMPUTE_TYPE="float32"):
                server.http.post(f"/v1/transcripts/{transcript_id}/process").raise_for_status()
                wait_until(lambda: server.run(transcript_id)["run"] == 2, "the run is another")
                server.wait_for_status(transcript_id, "ended")
                assert precision(server) == "float32"


def test_wrong_key_is_a_sentence_on_the_page(tmp_path: Path, speech: SpeechServer) -> None:
    settings = {**asking(speech.url), "TRANSCRIPT_MODAL_API_KEY": "wrong"}
    with running_server(tmp_path, **settings) as server:
        transcript_id = server.upload(HELD_OUT)
        server.wait_for_status(transcript_id, "error")
        assert "Invalid API key" in server.run(transcript_id)["error"]


@contextmanager
def reference_service() -> Iterator[tuple[str, list[float]]]:
    """Answers as the reference's service does (spec 4.1), which knows no jobs; the seconds of sound
    that it was sent."""
    heard: list[float] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer(404, {"detail": "Not Found"})

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(404, {"detail": "Not Found"})

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"]))
            with wave.open(io.BytesIO(form[form.index(b"RIFF") :])) as sound:
                heard.append(sound.getnframes() / sound.getframerate())
            words = [{"word": " Hello.", "start": 0.5, "end": 0.9}]
            self._answer(200, {"text": "Hello.", "words": words, "filename": "x.wav"})

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def test_service_of_the_reference_is_asked_in_one_request(tmp_path: Path) -> None:
    with reference_service() as (url, heard):
        settings = {**asking(url), "DIARIZATION_ENABLED": "false"}
        with running_server(tmp_path, **settings) as server:
            transcript_id = server.upload(HELD_OUT)
            server.wait_for_status(transcript_id, "ended")
            assert spoken(words_of(server, transcript_id)) == " Hello."
            duration = server.get(f"/v1/transcripts/{transcript_id}")["duration"]
    assert heard == [pytest.approx(duration / 1000, abs=0.01)]


@pytest.mark.parametrize("name", ["TRANSCRIPT", "DIARIZATION"])
def test_service_without_an_address_stops_the_start(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(AssertionError, match=f"{name}_BACKEND=modal needs the address"),
        running_server(tmp_path, **{f"{name}_BACKEND": "modal"}),
    ):
        pass


def test_readiness_names_a_service_that_is_away(tmp_path: Path, speech: SpeechServer) -> None:
    def speech_check(server: Server) -> dict[str, Any]:
        checks = server.http.get("/health/ready").json()["checks"]
        return next(check for check in checks if check["name"] == "speech")

    here, away = asking(speech.url), asking("http://127.0.0.1:1")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running_server(tmp_path / "a", **here) as server:
        assert speech_check(server)["status"] == "ok"
    with running_server(tmp_path / "b", **away) as server:
        found = speech_check(server)
    assert (found["status"], "127.0.0.1:1 does not answer" in found["summary"]) == ("failed", True)
