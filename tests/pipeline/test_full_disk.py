"""A disk that is really full: a small file system under the data folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import HELD_OUT
from tests.media_files import make_file
from tests.server import WITHOUT_SPEAKERS, running_server
from tests.waiting import wait_until

MEGABYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a tmpfs of 12 MB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, leave: int) -> Path:
    status = os.statvfs(disk)
    free = status.f_bavail * status.f_frsize
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * max(0, free - leave))
    return ballast


def test_upload_to_a_full_disk_is_507_and_works_once_there_is_room(small_disk: Path) -> None:
    with running_server(small_disk, MIN_FREE_BYTES="0", **WITHOUT_SPEAKERS) as server:
        transcript_id = server.create()
        ballast = fill(small_disk, leave=MEGABYTE // 2)
        answer = server.send_chunk(transcript_id, HELD_OUT.read_bytes())
        assert answer.status_code == 507
        assert "disk" in answer.json()["detail"]
        ballast.unlink()
        assert server.send_chunk(transcript_id, HELD_OUT.read_bytes()).status_code == 200
        server.wait_for_status(transcript_id, "ended")


def test_disk_that_fills_while_processing_says_so_and_the_work_goes_on(
    small_disk: Path, tmp_path: Path
) -> None:
    recording = make_file(tmp_path / "long.mp3", 120.0)  # 3.8 MB as PCM
    with running_server(small_disk, MIN_FREE_BYTES="0", **WITHOUT_SPEAKERS) as server:
        earlier = server.upload(HELD_OUT)
        server.wait_for_status(earlier, "ended")
        words = server.get(f"/v1/transcripts/{earlier}/words")
        ballast = fill(small_disk, leave=2 * recording.stat().st_size + MEGABYTE)
        transcript_id = server.upload(recording)
        server.wait_for_status(transcript_id, "error")
        assert "disk is full" in server.run(transcript_id)["error"]
        assert server.get(f"/v1/transcripts/{earlier}/words") == words
        ballast.unlink()
        wait_until(lambda: server.run(transcript_id)["status"] == "ended", "the end of the work")
