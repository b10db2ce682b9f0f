"""SIGKILL at the worst moments: the work goes on where it was, and nothing is doubled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import HELD_OUT, SAMPLE
from tests.killable import ORDER
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.waiting import wait_until


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / "reflector.db")) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.timeout(600)
def test_worker_killed_in_every_step_in_turn_resumes_there(tmp_path: Path) -> None:
    transcript_id = None
    for step in ORDER:
        reached = tmp_path / f"reached-{step}"
        server = Server(
            tmp_path, PROGRAM="tests.killable", KILL_STEP=step.value, KILL_FILE=str(reached)
        )
        try:
            transcript_id = transcript_id or server.upload(HELD_OUT)
            wait_until(reached.exists, f"step {step}")
            assert server.steps(transcript_id)[step.value]["state"] == "running"
        finally:
            server.kill()
    assert transcript_id is not None
    with running_server(tmp_path) as server:
        server.wait_for_status(transcript_id, "ended")
        steps = server.steps(transcript_id)
        words = server.get(f"/v1/transcripts/{transcript_id}/words")
        topics = server.get(f"/v1/transcripts/{transcript_id}/topics")
        undisturbed = server.upload(HELD_OUT)
        server.wait_for_status(undisturbed, "ended")
        assert words == server.get(f"/v1/transcripts/{undisturbed}/words")
        wanted = server.get(f"/v1/transcripts/{undisturbed}/topics")
        assert [t["title"] for t in topics] == [t["title"] for t in wanted]
    assert {step["state"] for step in steps.values()} == {"done"}
    # A step is repeated only where the kill found it, or its neighbour at work beside it
    assert all(2 <= step["attempt"] <= 4 for step in steps.values())
    counts = rows(
        tmp_path,
        f"select name, count(*) from event where transcript_id = '{transcript_id}' "
        "and name not in ('STATUS', 'TOPIC') group by name",
    )
    assert {count for _, count in counts} == {1}, counts


def test_server_killed_between_chunks_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    content = HELD_OUT.read_bytes()
    third = len(content) // 3 + 1
    parts = [content[i * third : (i + 1) * third] for i in range(3)]
    server = Server(tmp_path, **WITHOUT_SPEAKERS)
    transcript_id = server.create()
    server.send_chunk(transcript_id, parts[0], 0, 3).raise_for_status()
    server.send_chunk(transcript_id, parts[2], 2, 3)
    server.kill()
    with running_server(tmp_path, **WITHOUT_SPEAKERS) as server:
        server.send_chunk(transcript_id, parts[1], 1, 3).raise_for_status()
        server.wait_for_status(transcript_id, "ended")
        (stored,) = (tmp_path / "storage" / transcript_id).glob("upload*")
        assert stored.read_bytes() == content


def test_server_killed_right_after_the_last_chunk_loses_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path, **WITHOUT_SPEAKERS)
    transcript_id = server.upload(SAMPLE)
    server.kill()
    with running_server(tmp_path, **WITHOUT_SPEAKERS) as server:
        server.wait_for_status(transcript_id, "ended")
        assert server.get(f"/v1/transcripts/{transcript_id}/words")


def test_server_that_is_asked_to_stop_goes_on_after_its_next_start(tmp_path: Path) -> None:
    server = Server(tmp_path, **WITHOUT_SPEAKERS)
    transcript_id = server.upload(SAMPLE)
    wait_until(
        lambda: server.steps(transcript_id)["transcribe"]["state"] == "running", "transcribing"
    )
    assert server.stop() == 0
    with running_server(tmp_path, **WITHOUT_SPEAKERS) as server:
        server.wait_for_status(transcript_id, "ended")


def test_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with (
        running_server(tmp_path),
        pytest.raises(AssertionError, match="another server already uses"),
    ):
        Server(tmp_path)
