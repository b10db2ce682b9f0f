"""Health, metrics, limits."""

from __future__ import annotations

import inspect
import shutil
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.app import create_app
from reflector.db.models import Step
from reflector.errors import Busy
from reflector.http import service
from reflector.http.limits import Admission
from reflector.pipeline.queue.broker import CeleryDispatcher, make_celery
from reflector.runtime.health import Health
from reflector.services import Services
from reflector.speech_service import app as speech_app
from tests.api.people import make_transcript
from tests.conftest import SERVERS, OpenServices, client_of
from tests.media_files import make_file

on_servers = pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
Usage = namedtuple("Usage", "total used free")


def checks(client: TestClient) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready")
    return answer.status_code, {check["name"]: check for check in answer.json()["checks"]}


def test_health_is_static(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "healthy"}


def test_health_needs_no_thread_of_the_pool() -> None:
    """The pool may be full of uploads and of answers that wait for a server."""
    assert inspect.iscoroutinefunction(service.health)
    assert inspect.iscoroutinefunction(speech_app.health)


def test_check_that_takes_long_holds_up_nobody_else(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = Health(services, CeleryDispatcher(make_celery(services.settings)))
    first = health.checks()
    asked, answered = threading.Event(), threading.Event()

    def slow() -> list[Any]:
        asked.set()
        assert answered.wait(60)
        return []

    monkeypatch.setattr(health, "_all", slow)
    health._until = 0.0
    thread = threading.Thread(target=health.checks)
    thread.start()
    assert asked.wait(60)
    assert health.checks() == first
    answered.set()
    thread.join()


def test_ready_names_every_part(client: TestClient) -> None:
    status, found = checks(client)
    assert status == 200
    assert set(found) == {"database", "broker", "storage", "space", "speech", "llm"}
    assert found["database"]["status"] == found["storage"]["status"] == "ok"


def test_what_has_failed_says_what_to_do(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 9, 1))
    services.settings.LLM_URL = "http://127.0.0.1:1/v1"
    _, found = checks(client_of(services))
    for name in ("space", "llm"):
        assert found[name]["status"] != "ok"
        assert found[name]["remedy"]
    assert "LLM_URL" in found["llm"]["remedy"]


@on_servers
def test_storage_that_is_away_is_a_503(services: Services, stack: Any) -> None:
    stack.s3.front.fail(-1)
    try:
        status, found = checks(client_of(services))
    finally:
        stack.s3.front.fail(0)
    assert status == 503
    assert found["storage"]["status"] == "failed"


@on_servers
def test_database_that_is_away_is_a_503_with_a_sentence(services: Services, stack: Any) -> None:
    client = TestClient(create_app(services), raise_server_exceptions=False)
    stack.postgres.server.stop()
    try:
        status, found = checks(client)
        answer = client.get("/v1/transcripts")
    finally:
        stack.postgres.server.start()
    assert status == 503
    assert found["database"]["status"] == "failed"
    assert answer.status_code == 503
    assert "database does not answer" in answer.json()["detail"]
    assert client.get("/v1/transcripts").status_code == 200  # and without a restart of ours


def test_metrics_are_for_this_machine_only(services: Services) -> None:
    transcript_id = make_transcript(services)
    with services.db.write() as session:
        session.add(Step(transcript_id=transcript_id, run=1, name="decode", state="failed"))
    app = create_app(services)
    local = TestClient(app, client=("127.0.0.1", 1))
    local.get("/v1/transcripts")
    text = local.get("/metrics").text
    for name in ("http_requests_total", "http_request_duration_seconds", "processor_call_total",
                 'reflector_queue_steps{queue="speech"} 0.0', "reflector_failed_steps 1.0"):  # fmt: skip
        assert name in text
    assert TestClient(app, client=("192.0.2.7", 1)).get("/metrics").status_code == 404
    proxied = {"X-Forwarded-For": "192.0.2.7"}
    assert local.get("/metrics", headers=proxied).status_code == 404


def test_large_request_is_413_by_its_length_and_by_its_bytes(open_with: OpenServices) -> None:
    client = client_of(open_with(MAX_REQUEST_BYTES=1000))
    body = {"name": "x" * 2000}
    answer = client.post("/v1/transcripts", json=body)
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["detail"]
    pieces = iter([b'{"name": "', b"x" * 2000, b'"}'])
    streamed = client.post(
        "/v1/transcripts", content=pieces, headers={"Content-Type": "application/json"}
    )
    assert streamed.status_code == 413


def send(client: TestClient, transcript_id: str, content: bytes, number: int, total: int) -> Any:
    return client.post(
        f"/v1/transcripts/{transcript_id}/record/upload",
        params={"chunk_number": number, "total_chunks": total},
        files={"chunk": ("a.wav", content)},
    )


def test_limits_of_uploads_each_say_their_sentence(
    open_with: OpenServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = make_file(tmp_path / "a.wav", 1.0).read_bytes()
    half = len(recording) // 2
    services = open_with(
        MAX_CHUNK_BYTES=2 * len(recording), MAX_UPLOAD_BYTES=len(recording) - 1, MIN_FREE_BYTES=10
    )
    client = client_of(services)
    transcript_id = make_transcript(services)
    chunk = send(client, transcript_id, b"x" * (2 * len(recording) + (2 << 20)), 0, 2)
    assert chunk.status_code == 413
    assert send(client, transcript_id, recording[:half], 0, 2).status_code == 200
    whole = send(client, transcript_id, recording[half:], 1, 2)
    assert (whole.status_code, "A recording may have at most" in whole.text) == (413, True)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100, 95, 5))
    full = send(client, transcript_id, recording[half:], 1, 2)
    assert full.status_code == 507
    assert "5 bytes of free space" in full.json()["detail"]


def test_too_many_uploads_at_once_are_told_to_wait(open_with: OpenServices) -> None:
    services = open_with(MAX_UPLOADS=1, MIN_FREE_BYTES=0)
    admission = Admission(services.settings)
    with (
        admission.upload(),
        pytest.raises(Busy, match="1 uploads are running"),
        admission.upload(),
    ):
        pass
    with admission.upload():
        pass
