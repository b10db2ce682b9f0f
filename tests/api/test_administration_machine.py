"""What administrators see of the machine: storage, models, versions, the work of one recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Step, StepState, Transcript, now
from reflector.pipeline.runs import start_run
from reflector.services import Services
from reflector.speech.manifest import Manifest
from tests.api.people import SECRET, Person, make_transcript
from tests.api.test_administration import anna, boss
from tests.conftest import OpenServices

__all__ = ["anna", "boss"]

BASE = "/v1/administration"


@pytest.fixture
def versions_file(tmp_path: Path) -> Path:
    return tmp_path / "versions.json"


@pytest.fixture
def services(open_with: OpenServices, versions_file: Path) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, VERSIONS_FILE=versions_file)


def put(services: Services, folder: Path, key: str, size: int) -> None:
    path = folder / "object"
    path.write_bytes(b"x" * size)
    services.storage.adopt(path, key)


def test_storage_is_counted_for_each_account(
    client: TestClient, services: Services, boss: Person, anna: Person, tmp_path: Path
) -> None:
    first, second = (make_transcript(services, user_id=anna.id) for _ in range(2))
    make_transcript(services, user_id=boss.id)
    for key, size in ((f"{first}/upload.wav", 100), (f"{first}/a.mp3", 20), (f"{second}/a.mp3", 3)):
        put(services, tmp_path, key, size)

    def shares() -> dict[str | None, tuple[int, int]]:
        found = client.get(f"{BASE}/storage", headers=boss.bearer).json()
        return {each["email"]: (each["recordings"], each["bytes"]) for each in found}

    # The real storage is shared with other tests, whose objects are nobody's here
    _, nobodys = shares().get(None, (0, 0))
    put(services, tmp_path, "long-gone/a.mp3", 7)
    assert shares() == {anna.email: (2, 123), boss.email: (1, 0), None: (0, nobodys + 7)}
    assert "123 bytes" in client.get("/administration/storage", headers=boss.bearer).text


def test_model_that_is_damaged_is_found(
    client: TestClient, services: Services, boss: Person
) -> None:
    folder = services.settings.models_dir
    for name in ("good", "by-hand"):
        (folder / name).mkdir(parents=True)
        (folder / name / "model.bin").write_bytes(b"weights")
    Manifest(folder).add("good", "MIT")
    models = client.get(f"{BASE}/models", headers=boss.bearer).json()
    assert models == [
        {"name": "good", "bytes": 7, "licence": "MIT", "can_be_verified": True},
        {"name": "by-hand", "bytes": None, "licence": None, "can_be_verified": False},
    ]

    def verify(name: str) -> tuple[int, list[str] | None]:
        path = f"{BASE}/models/verify"
        answer = client.post(path, params={"name": name}, headers=boss.bearer)
        return answer.status_code, answer.json().get("problems")

    assert verify("good") == (200, [])
    (folder / "good" / "model.bin").write_bytes(b"WEIGHTS")
    assert verify("good") == (200, ["model.bin is damaged"])
    assert verify("by-hand")[0] == verify("../x")[0] == 404
    form = {"name": "good"}
    page = client.post("/administration/models/verify", data=form, headers=boss.bearer).text
    assert "good is damaged" in page
    assert "by-hand" in page


def test_updates_are_told_with_their_reasons(
    client: TestClient, boss: Person, versions_file: Path
) -> None:
    assert client.get(f"{BASE}/versions", headers=boss.bearer).json()["updates"] == []
    rows = [
        {"version": "1.0", "before": None, "came": "2026-11-01T00:00:00Z", "outcome": "proven"},
        {
            "version": "1.1", "before": "1.0", "came": "2026-11-02T00:00:00Z", "outcome": "failed",
            "decided": "2026-11-02T00:05:00Z", "reasons": ["the API did not answer"],
        },
    ]  # fmt: skip
    versions_file.write_text(json.dumps(rows))
    found = client.get(f"{BASE}/versions", headers=boss.bearer).json()
    assert found["schema_revision"] == "0014"
    assert [each["version"] for each in found["updates"]] == ["1.1", "1.0"]
    assert "the API did not answer" in client.get("/administration", headers=boss.bearer).text


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', '[{"version": 5}]'])
def test_history_that_cannot_be_read_hides_nothing_else(
    client: TestClient, boss: Person, versions_file: Path, text: str
) -> None:
    versions_file.write_text(text)
    assert "Move it away" in client.get(f"{BASE}/versions", headers=boss.bearer).text
    page = client.get("/administration", headers=boss.bearer)
    assert (page.status_code, "Move it away" in page.text) == (200, True)
    assert boss.email in page.text


def test_work_of_one_recording_is_told_without_its_title(
    client: TestClient, services: Services, boss: Person, anna: Person
) -> None:
    recording = make_transcript(services, user_id=anna.id, name="Secret")
    with services.db.write() as session:
        for _ in range(2):
            start_run(session, session.get_one(Transcript, recording))
        failed = session.query(Step).filter_by(run=2, name="decode").one()
        failed.state, failed.error = StepState.FAILED, "This cannot be read."
        failed.started_at = failed.finished_at = now()
    steps = client.get(f"{BASE}/work/{recording}", headers=boss.bearer).json()
    assert (steps[0]["run"], steps[0]["error"]) == (2, "This cannot be read.")
    assert {each["run"] for each in steps} == {1, 2}
    address = f"http://testserver/transcripts/{recording}?q=x"
    query = {"recording": address}
    page = client.get("/administration/work", params=query, headers=boss.bearer).text
    assert "This cannot be read." in page
    assert "Secret" not in page
    empty = {"recording": " / "}
    nothing = client.get("/administration/work", params=empty, headers=boss.bearer)
    assert (nothing.status_code, nothing.url.path) == (200, "/administration")
    for odd in ("nothing", "a b", "%2e"):
        answer = client.get("/administration/work", params={"recording": odd}, headers=boss.bearer)
        assert answer.status_code == 404
