"""Playback with ranges (RFC 9110, section 14)."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from reflector.services import Services

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def path(client: TestClient, services: Services, tmp_path: Path) -> str:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    (tmp_path / "audio.mp3").write_bytes(CONTENT)
    services.storage.adopt(tmp_path / "audio.mp3", f"{transcript_id}/audio.mp3")
    return f"/v1/transcripts/{transcript_id}/audio/mp3"


def test_whole_file(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"].startswith("inline; filename=recording_")


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-99", 0, 100), ("bytes=100-", 100, 10240), ("bytes=-10", 10230, 10240),
        ("bytes=5-5", 5, 6), ("bytes=10000-99999", 10000, 10240), ("bytes=-99999", 0, 10240),
    ],
)  # fmt: skip
def test_range(client: TestClient, path: str, wanted: str, start: int, end: int) -> None:
    answer = client.get(path, headers={"range": wanted})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10240"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "wanted", ["bytes=10240-", "bytes=5-4", "bytes=-0", "bytes=-", "bytes=a-b", "lines=1-2", "x"]
)
def test_range_that_cannot_be_met_is_416(client: TestClient, path: str, wanted: str) -> None:
    answer = client.get(path, headers={"range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10240"


def test_head_tells_the_size_without_the_sound(client: TestClient, path: str) -> None:
    answer = client.head(path)
    assert answer.status_code == 200
    assert answer.headers["content-length"] == "10240"
    assert answer.content == b""


def test_deleted_audio_is_404_with_the_reason(client: TestClient, path: str) -> None:
    client.patch(path.removesuffix("/audio/mp3"), json={"audio_deleted": True})
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Audio unavailable due to privacy settings"


def test_no_audio_yet_is_404(client: TestClient) -> None:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    for part in ("mp3", "waveform"):
        answer = client.get(f"/v1/transcripts/{transcript_id}/audio/{part}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "Audio not found")
