"""S3 as the API uses it: ranges, signed links, and memory that does not grow with a recording."""

from __future__ import annotations

import os
from pathlib import Path

import httpx2
import psutil
import pytest

from reflector.errors import NotFound, Unavailable
from reflector.services import Services
from tests.api.people import make_transcript
from tests.conftest import SERVERS, OpenServices, client_of
from tests.real.stack import Stack

pytestmark = pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
MIB = 1 << 20


def put(services: Services, folder: Path, key: str, size: int) -> bytes:
    content = os.urandom(min(size, MIB)) * max(1, size // MIB)
    (folder / "object").write_bytes(content)
    services.storage.adopt(folder / "object", key)
    assert not (folder / "object").exists()
    return content


def test_reader_seeks_like_a_file(open_with: OpenServices, tmp_path: Path) -> None:
    services = open_with()
    content = put(services, tmp_path, "abc/x", 3 * MIB)
    with services.storage.open("abc/x") as file:
        assert file.read(5) == content[:5]
        assert file.seek(-4, 2) == len(content) - 4
        assert file.read() == content[-4:]
        file.seek(MIB)
        assert file.read(10) == content[MIB : MIB + 10]
    services.storage.delete_prefix("abc")


def test_range_of_an_object_goes_through_the_server(
    open_with: OpenServices, tmp_path: Path
) -> None:
    services = open_with()
    transcript_id = make_transcript(services)
    content = put(services, tmp_path, f"{transcript_id}/audio.mp3", 2 * MIB)
    path = f"/v1/transcripts/{transcript_id}/audio/mp3"
    answer = client_of(services).get(path, headers={"Range": "bytes=1000-1999"})
    assert answer.status_code == 206
    assert answer.content == content[1000:2000]
    assert answer.headers["content-range"] == f"bytes 1000-1999/{len(content)}"


def test_signed_link_opens_without_credentials(
    open_with: OpenServices, tmp_path: Path, stack: Stack
) -> None:
    services = open_with(TRANSCRIPT_STORAGE_AWS_PUBLIC_URL=stack.s3.url)
    transcript_id = make_transcript(services)
    content = put(services, tmp_path, f"{transcript_id}/audio.mp3", MIB)
    path = f"/v1/transcripts/{transcript_id}/audio/mp3"
    answer = client_of(services).get(path, follow_redirects=False)
    assert answer.status_code == 307
    link = answer.headers["location"]
    assert httpx2.get(link, headers={"Range": "bytes=0-9"}).content == content[:10]
    forged = link.replace("X-Amz-Signature=", "X-Amz-Signature=0")
    assert httpx2.get(forged).status_code == 403


def test_large_recording_needs_no_large_memory(open_with: OpenServices, tmp_path: Path) -> None:
    services = open_with()
    transcript_id = make_transcript(services)
    size = 200 * MIB
    put(services, tmp_path, f"{transcript_id}/audio.mp3", size)
    process = psutil.Process()
    before = process.memory_info().rss
    highest, received = before, 0
    for piece in services.storage.read_range(f"{transcript_id}/audio.mp3", 0, size):
        received += len(piece)
        highest = max(highest, process.memory_info().rss)
    assert received == size
    assert highest - before < 60 * MIB
    services.storage.delete_prefix(transcript_id)


def test_server_that_answers_500_is_unavailable_and_not_missing(
    open_with: OpenServices, tmp_path: Path, stack: Stack
) -> None:
    services = open_with()
    put(services, tmp_path, "abc/x", 10)
    stack.s3.front.fail(-1)
    try:
        with pytest.raises(Unavailable, match="The storage does not answer"):
            services.storage.size("abc/x")
        with pytest.raises(Unavailable):
            services.storage.keys("abc")
    finally:
        stack.s3.front.fail(0)
    assert services.storage.size("abc/x") == 10
    with pytest.raises(NotFound):
        services.storage.open("abc/y")
    services.storage.delete_prefix("abc")
