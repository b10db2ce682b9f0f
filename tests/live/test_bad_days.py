"""Recordings over poor lines, and servers killed at any moment: nothing acknowledged is lost."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest
from websockets.exceptions import WebSocketException

from reflector.recorder import client
from reflector.recorder.source import Spool, record
from tests.conftest import SAMPLE
from tests.live.client import cut
from tests.live.line import Line
from tests.live.streaming import Sender, sending, webm
from tests.server import Server
from tests.waiting import PATIENCE, wait_until

RECORDINGS, KILLS = 30, 6
PIECE = 400
MODEM = 64_000 / 8


class Again(Exception):
    """The server is busy, or not there yet."""


class Recording:
    """Sends `content` bit by bit, over as many servers as that takes.

    `acknowledged` bytes of it are safe; `lost` of those were asked for again.
    """

    def __init__(self, transcript_id: str, content: bytes, chance: random.Random) -> None:
        self.transcript_id, self._content, self._chance = transcript_id, content, chance
        self.acknowledged = 0
        self.lost = 0

    def send(self, servers: list[Server]) -> None:
        deadline = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < deadline:
            with (
                suppress(OSError, WebSocketException, TimeoutError, Again),
                sending(servers[-1], self.transcript_id) as sender,
            ):
                self._send(sender)
                return
            threading.Event().wait(0.1)
        raise AssertionError(f"{self.transcript_id} was not sent")

    def _send(self, sender: Sender) -> None:
        size = len(self._content)
        first = checked(sender.first)
        if first["type"] == "error":
            assert (first["status"], first["offset"]) == (409, size)
            return  # it was stopped, and the answer was lost
        offset = first["offset"]
        self.lost += max(0, self.acknowledged - offset)
        while offset < size:
            answer = checked(sender.put(offset, self._content[offset : offset + PIECE]))
            assert answer["type"] == "saved", answer
            self.acknowledged = offset = answer["offset"]
            threading.Event().wait(self._chance.random() / 2)
        assert checked(sender.stop()) == {"type": "stopped"}


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    status = answer.get("status", 0)
    if status == 429 or status >= 500:
        raise Again
    return answer


@pytest.mark.timeout(1500)
def test_servers_killed_at_any_moment_have_all_that_they_acknowledged(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"The moments are those of the seed {seed}.")
    chance = random.Random(seed)
    content = webm(cut(SAMPLE, 0.0, 2.0, tmp_path / "speech.wav"), tmp_path)
    # A connection that is dead still counts for a while
    environment = {"LIVE_ENGINE": "none", "MAX_LIVE_RECORDINGS": str(4 * RECORDINGS)}
    servers = [Server(tmp_path, 0, **environment)]
    try:
        port = int(servers[0].url.rpartition(":")[2])
        recordings = [
            Recording(servers[0].create(source_kind="live"), content, chance)
            for _ in range(RECORDINGS)
        ]
        with ThreadPoolExecutor(RECORDINGS) as pool:
            sent = [pool.submit(each.send, servers) for each in recordings]
            for _ in range(KILLS):
                threading.Event().wait(chance.uniform(0.0, 2.0))
                servers[-1].kill()
                servers.append(Server(tmp_path, port, **environment))
            for future in sent:
                future.result(4 * PATIENCE)
        assert [each.lost for each in recordings] == [0] * RECORDINGS
        for each in recordings:
            servers[-1].wait_for_status(each.transcript_id, "ended", 3 * PATIENCE)
            (kept,) = tmp_path.glob(f"**/{each.transcript_id}/live.ogg")
            assert kept.read_bytes() == content
    finally:
        if servers[-1].process.poll() is None:
            servers[-1].stop()


def test_recording_over_a_poor_line_that_breaks_arrives_whole(
    server: Server, tmp_path: Path
) -> None:
    speech = cut(SAMPLE, 0.0, 8.0, tmp_path / "speech.wav")
    spool = Spool(tmp_path / "spool.webm")
    transcript_id = server.create(source_kind="live")
    journal = server.data / "live" / transcript_id
    with (
        closing(Line(server.url, MODEM, delay=0.15, loss=0.05)) as line,
        ThreadPoolExecutor(2) as pool,
    ):
        recorded = pool.submit(record, av.open(str(speech)), spool, True, threading.Event())
        sent = pool.submit(client.send, client.Server(line.url), transcript_id, "room", spool)
        for size in (5_000, 15_000, 25_000):
            wait_until(partial(has_grown, journal, size), f"{size} bytes")
            line.cut()
        sent.result(PATIENCE)
        recorded.result(PATIENCE)
    server.wait_for_status(transcript_id, "ended")
    (kept,) = server.data.glob(f"**/{transcript_id}/live.ogg")
    assert kept.read_bytes() == spool.path.read_bytes()


def test_piece_takes_a_slow_line_less_time_than_its_answer_is_waited_for() -> None:
    assert client.PIECE_BYTES / MODEM < client.ANSWER_SECONDS / 4


def has_grown(journal: Path, size: int) -> bool:
    with suppress(FileNotFoundError):
        return sum(file.stat().st_size for file in journal.glob("*.webm")) > size
    return False
