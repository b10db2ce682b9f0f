"""A recording in chunks, in any order, and everything that can be wrong with it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from reflector.errors import Paused
from reflector.http import multipart
from reflector.services import Services
from reflector.uploads import chunks as routes
from tests.conftest import HELD_OUT
from tests.media_files import make_file


@pytest.fixture
def transcript_id(client: TestClient) -> str:
    return str(client.post("/v1/transcripts", json={"name": "x"}).json()["id"])


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_file(tmp_path_factory.mktemp("r") / "a.wav", 2.0).read_bytes()


def send(
    client: TestClient,
    transcript_id: str,
    number: int,
    total: int,
    content: bytes,
    name: str = "a.wav",
) -> httpx2.Response:
    return client.post(
        f"/v1/transcripts/{transcript_id}/record/upload",
        params={"chunk_number": number, "total_chunks": total},
        files={"chunk": (name, content)},
    )


def pieces(content: bytes, count: int) -> list[bytes]:
    size = -(-len(content) // count)
    return [content[start : start + size] for start in range(0, len(content), size)]


def stored(services: Services, transcript_id: str) -> bytes:
    (key,) = services.storage.keys(transcript_id)
    with services.storage.open(key) as file:
        return bytes(file.read())


def left_behind(services: Services, transcript_id: str) -> list[str]:
    folder = services.settings.uploads_dir
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    return files + services.storage.keys(transcript_id)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [0, 2, 1, 3], [2, 1, 0, 3], [1, 1, 0, 0, 2, 2, 3]])
def test_chunks_in_any_order_and_twice_make_the_same_file(
    client: TestClient, services: Services, transcript_id: str, recording: bytes, order: list[int]
) -> None:
    parts = pieces(recording, 4)
    for number in order:
        assert send(client, transcript_id, number, 4, parts[number]).status_code == 200
    assert client.get(f"/v1/transcripts/{transcript_id}").json()["status"] == "uploaded"
    assert client.get(f"/v1/transcripts/{transcript_id}").json()["source_kind"] == "file"
    assert stored(services, transcript_id) == recording


def test_missing_chunk_is_named_and_the_others_are_kept(
    client: TestClient, services: Services, transcript_id: str, recording: bytes
) -> None:
    parts = pieces(recording, 4)
    send(client, transcript_id, 0, 4, parts[0])
    answer = send(client, transcript_id, 3, 4, parts[3])
    assert answer.status_code == 400
    assert "missing: 1, 2" in answer.json()["detail"]
    assert send(client, transcript_id, 1, 4, parts[1]).status_code == 200
    assert send(client, transcript_id, 2, 4, parts[2]).status_code == 200
    assert stored(services, transcript_id) == recording


def test_another_total_is_refused_and_what_came_is_kept(
    client: TestClient, services: Services, transcript_id: str, recording: bytes
) -> None:
    parts = pieces(recording, 2)
    send(client, transcript_id, 0, 2, parts[0])
    answer = send(client, transcript_id, 1, 3, parts[1])
    assert answer.status_code == 400
    assert "2 chunks, not 3" in answer.json()["detail"]
    assert send(client, transcript_id, 1, 2, parts[1]).status_code == 200
    assert stored(services, transcript_id) == recording


@pytest.mark.parametrize(("number", "total"), [(-1, 2), (2, 2), (0, 0), (5, -1)])
def test_numbers_that_cannot_be_are_400(
    client: TestClient, services: Services, transcript_id: str, number: int, total: int
) -> None:
    answer = send(client, transcript_id, number, total, b"x")
    assert answer.status_code == 400
    assert "numbered from 0" in answer.json()["detail"]
    assert left_behind(services, transcript_id) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.wav", b""), ("text.mp3", b"Dear all,\nthe meeting is on Monday.\n" * 50)],
)
def test_what_is_no_recording_is_400_and_the_next_upload_works(
    client: TestClient,
    services: Services,
    transcript_id: str,
    recording: bytes,
    name: str,
    content: bytes,
) -> None:
    answer = send(client, transcript_id, 0, 1, content, name)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("File ")
    assert left_behind(services, transcript_id) == []
    assert send(client, transcript_id, 0, 1, recording).status_code == 200


def test_truncated_mp4_is_400_and_nothing_is_left(
    client: TestClient, services: Services, transcript_id: str, tmp_path: Path
) -> None:
    content = make_file(tmp_path / "a.mp4", 3.0).read_bytes()
    answer = send(client, transcript_id, 0, 1, content[: len(content) // 2], "a.mp4")
    assert answer.status_code == 400
    assert "cut short" in answer.json()["detail"]
    assert left_behind(services, transcript_id) == []


def test_second_upload_is_400(client: TestClient, transcript_id: str, recording: bytes) -> None:
    send(client, transcript_id, 0, 1, recording)
    answer = send(client, transcript_id, 0, 1, recording)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "There is already an upload in progress"


def test_locked_transcript_takes_no_upload(
    client: TestClient, transcript_id: str, recording: bytes
) -> None:
    client.patch(f"/v1/transcripts/{transcript_id}", json={"locked": True})
    answer = send(client, transcript_id, 0, 1, recording)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Transcript is locked"


def test_form_without_the_file_is_400(client: TestClient, transcript_id: str) -> None:
    path = f"/v1/transcripts/{transcript_id}/record/upload?chunk_number=0&total_chunks=1"
    for request in (
        {"files": {"other": ("a.wav", b"x")}},
        {"content": b"x"},
        {
            "content": b"--b\r\ngarbage",
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="chunk"; filename="a"\r\n\r\nhalf',
            "headers": {"content-type": "multipart/form-data; boundary=b"},
        },
    ):
        answer = client.post(path, **request)
        assert answer.status_code == 400, answer.text
        assert isinstance(answer.json()["detail"], str)


def test_upload_without_numbers_is_422(client: TestClient, transcript_id: str) -> None:
    path = f"/v1/transcripts/{transcript_id}/record/upload"
    assert client.post(path, files={"chunk": ("a", b"x")}).status_code == 422


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b.mp3", "x." + "y" * 300, "", "ü ñ.WAV", "a.w\x00v"]
)
def test_file_name_of_the_client_never_becomes_a_path(
    client: TestClient, services: Services, transcript_id: str, recording: bytes, name: str
) -> None:
    assert send(client, transcript_id, 0, 1, recording, name or "blob").status_code == 200
    (key,) = services.storage.keys(transcript_id)
    name = key.rpartition("/")[2]
    assert name.partition(".")[0] == "upload"
    assert len(name) < 20


def test_crash_while_appending_leaves_a_chunk_that_can_be_sent_again(
    client: TestClient, services: Services, transcript_id: str, recording: bytes
) -> None:
    parts = pieces(recording, 3)
    send(client, transcript_id, 0, 3, parts[0])
    incoming = routes.incoming_of(services, transcript_id)
    with incoming.file.open("ab") as file:
        file.write(b"half of a chunk whose end never came")
    send(client, transcript_id, 1, 3, parts[1])
    assert send(client, transcript_id, 2, 3, parts[2]).status_code == 200
    assert stored(services, transcript_id) == recording


@pytest.mark.parametrize("first_breaks_off", [True, False])
def test_same_chunk_on_two_connections_at_once_is_harmless(
    client: TestClient,
    services: Services,
    transcript_id: str,
    recording: bytes,
    first_breaks_off: bool,
) -> None:
    parts = pieces(recording, 2)
    incoming = routes.incoming_of(services, transcript_id)
    with incoming.receive(0, 2) as slow:
        slow.out.write(parts[0][:1000])
        with incoming.receive(0, 2) as fast:
            fast.out.write(parts[0])
            with incoming.lock:
                assert not incoming.accept(fast)
        if not first_breaks_off:
            slow.out.write(parts[0][1000:])
            with incoming.lock:
                assert not incoming.accept(slow)
    assert send(client, transcript_id, 1, 2, parts[1]).status_code == 200
    assert stored(services, transcript_id) == recording


def test_full_disk_is_507_and_earlier_chunks_stay(
    client: TestClient,
    services: Services,
    transcript_id: str,
    recording: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = pieces(recording, 2)
    send(client, transcript_id, 0, 2, parts[0])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        answer = send(client, transcript_id, 1, 2, parts[1])
    assert answer.status_code == 507
    assert "disk" in answer.json()["detail"]
    assert send(client, transcript_id, 1, 2, parts[1]).status_code == 200
    assert stored(services, transcript_id) == recording


def test_process_before_an_upload_and_while_running_is_400(
    client: TestClient, transcript_id: str
) -> None:
    path = f"/v1/transcripts/{transcript_id}/process"
    assert client.post(path).json()["detail"] == "Recording is not ready for processing"
    send(client, transcript_id, 0, 1, HELD_OUT.read_bytes(), "a.flac")
    assert client.post(path).json()["detail"] == "already running"
    client.patch(f"/v1/transcripts/{transcript_id}", json={"locked": True})
    answer = client.post(path)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Recording is locked")


def test_database_that_restarts_at_the_last_chunk_costs_nothing(
    client: TestClient,
    services: Services,
    transcript_id: str,
    recording: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The recording is in the storage already; the commit happens, and its answer is lost once."""
    parts = pieces(recording, 2)
    assert send(client, transcript_id, 0, 2, parts[0]).status_code == 200
    real, failures = services.db.write, iter([True])

    @contextmanager
    def write() -> Iterator[Any]:
        with real() as session:
            yield session
        if next(failures, False):
            raise OperationalError(
                "commit", {}, psycopg.OperationalError("the connection was lost")
            )

    monkeypatch.setattr(services.db, "write", write)
    assert send(client, transcript_id, 1, 2, parts[1]).status_code == 200
    body = client.get(f"/v1/transcripts/{transcript_id}/run").json()
    assert (body["run"], body["status"]) == (1, "uploaded")
    assert stored(services, transcript_id) == recording


def test_state_of_a_file_that_was_taken_over_is_not_counted_on(
    client: TestClient, services: Services, transcript_id: str, recording: bytes
) -> None:
    """The database went away between the storage taking the file and its row being written."""
    folder = services.settings.uploads_dir / transcript_id
    folder.mkdir(parents=True)
    (folder / "state.json").write_text('{"total": 1, "next": 1, "size": 5}')
    assert send(client, transcript_id, 0, 1, recording).status_code == 200
    assert client.get(f"/v1/transcripts/{transcript_id}").json()["status"] == "uploaded"
    assert stored(services, transcript_id) == recording


async def _bytes(*pieces: tuple[float, int]) -> AsyncIterator[bytes]:
    """After each pause, in seconds, so many bytes."""
    for pause, count in pieces:
        await asyncio.sleep(pause)
        yield bytes(count)


@pytest.mark.parametrize(
    ("pieces", "slowest"),
    [([(30, 1)], 1.0), ([(0.05, 1)] * 30, 1e6)],
    ids=["nothing comes", "a byte now and then"],
)
def test_upload_that_pauses_gives_its_place_to_others(
    monkeypatch: pytest.MonkeyPatch, pieces: list[tuple[float, int]], slowest: float
) -> None:
    monkeypatch.setattr(multipart, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(multipart, "SLOWEST", slowest)

    async def receive() -> int:
        return sum([len(data) async for data in multipart._without_pauses(_bytes(*pieces))])

    with pytest.raises(Paused, match="paused for too long"):
        asyncio.run(receive())


def test_upload_that_goes_on_is_never_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "IDLE_SECONDS", 1.0)

    async def receive() -> int:
        pieces = [(0.05, 10_000)] * 30
        return sum([len(data) async for data in multipart._without_pauses(_bytes(*pieces))])

    assert asyncio.run(receive()) == 300_000
