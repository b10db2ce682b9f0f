"""Fifty recordings while processes and servers are killed at random: all end right, none twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from reflector.db.engine import Database, is_disconnect
from reflector.db.models import Event, Status, Step, StepState, Transcript, Words
from tests.conftest import SAMPLE
from tests.media_files import cut
from tests.real.process import free_port
from tests.real.stack import REMEDY, Stack, missing
from tests.workers.cluster import Api, Process

JOBS = 50
UPLOADERS = 4
DEADLINE = 500.0
SECONDS = 15.0
PAUSE = (0.5, 2.5)
MORE_FAULTS = 10
SEED = 20261123


class Cluster:
    """API and two workers that are started again after each kill, as systemd does."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        self.stack, self.data = stack, folder / "data"
        self.data.mkdir()
        self.settings = {**stack.settings(), "DIARIZATION_ENABLED": "false"}
        self.port = free_port()
        self.api = Api(self.data, self.settings, self.port)
        self.workers = [Process(self.data, self.settings, "worker") for _ in range(2)]
        for worker in self.workers:
            worker.start()
        self.killed: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def faults(self) -> dict[str, Callable[[], None]]:
        return {
            "worker 1": lambda: self._restart_worker(0),
            "worker 2": lambda: self._restart_worker(1),
            "API": self._restart_api,
            "PostgreSQL killed": self._kill_postgres,
            "PostgreSQL restarted": self._restart_postgres,
            "broker": self._kill_redis,
            "broker flushed": self._flush,
            "S3 answers 500": lambda: self.stack.s3.front.fail(30),
        }

    def _restart_worker(self, number: int) -> None:
        self.workers[number].kill()
        self.workers[number].start()

    def _restart_api(self) -> None:
        self.api.kill()
        self.api = Api(self.data, self.settings, self.port)

    def _kill_postgres(self) -> None:
        self.stack.postgres.server.kill()
        self.stack.postgres.server.start()

    def _restart_postgres(self) -> None:
        self.stack.postgres.server.stop()
        self.stack.postgres.server.start()

    def _kill_redis(self) -> None:
        self.stack.redis.server.kill()
        self.stack.redis.server.start()

    def _flush(self) -> None:
        self.stack.redis.client().flushall()

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.api.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    if lacking := missing():
        pytest.skip(f"{', '.join(lacking)} missing: {REMEDY}")
    stack = Stack(tmp_path / "stack")  # its own, because it will be killed
    started = Cluster(tmp_path, stack)
    yield started
    started.stop()
    stack.stop()


def send(url: str, recording: bytes) -> str:
    """Upload like a client that does not give up; the transcript's id once it is acknowledged."""
    with httpx2.Client(base_url=url, timeout=30) as http:
        transcript_id = str(_insist(lambda: http.post("/v1/transcripts", json={
            "name": "m", "source_kind": "file", "source_language": "en"}))["id"])  # fmt: skip
        _insist(
            lambda: http.post(
                f"/v1/transcripts/{transcript_id}/record/upload",
                params={"chunk_number": 0, "total_chunks": 1},
                files={"chunk": ("m.wav", recording)},
            )
        )
    return transcript_id


def _insist(request: Callable[[], httpx2.Response]) -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            answer = request()
        except httpx2.TransportError:
            _breathe()
            continue
        body: dict[str, Any] = answer.json() if answer.content else {}
        if answer.status_code == 200:
            return body
        if answer.status_code == 400 and "already an upload" in str(body.get("detail")):
            return body  # an earlier try was taken, and its answer lost
        assert answer.status_code in {500, 503, 429}, (answer.status_code, answer.text)
        _breathe()
    raise AssertionError("the server did not take the recording in time")


def _breathe() -> None:
    threading.Event().wait(0.2)


def ended(database: Database) -> int | None:
    """How many have ended; None while the database is away."""
    try:
        with database.read() as session:
            return session.scalar(select(func.count()).where(Transcript.status == Status.ENDED))
    except Exception as error:
        if not is_disconnect(error):
            raise
        return None


@pytest.mark.timeout(900)
def test_fifty_recordings_survive_everything_that_can_be_killed(
    cluster: Cluster, tmp_path: Path
) -> None:
    recording = cut(SAMPLE, tmp_path / "m.wav", 0.0, SECONDS).read_bytes()
    database = Database(cluster.settings["DATABASE_URL"].replace("://", "+psycopg://"))
    dice = random.Random(SEED)
    started = time.monotonic()
    with ThreadPoolExecutor(UPLOADERS) as pool:
        uploads = [pool.submit(send, cluster.url, recording) for _ in range(JOBS)]
        faults, busy = cluster.faults(), 0
        order = [*faults, *dice.choices(list(faults), k=MORE_FAULTS)]
        for name in order:
            threading.Event().wait(dice.uniform(*PAUSE))
            busy += ended(database) != JOBS
            faults[name]()
            cluster.killed[name] += 1
        cluster.stack.s3.front.fail(0)
        ids = [upload.result() for upload in uploads]
    assert len(set(ids)) == JOBS
    # Most came while there was still work to do
    assert busy >= len(faults)
    while ended(database) != JOBS:
        assert time.monotonic() - started < DEADLINE, (cluster.killed, unfinished(database, ids))
        threading.Event().wait(0.5)
    look_closely(database, ids)
    keys = {key for transcript_id in ids for key in stored(cluster, transcript_id)}
    assert keys == {f"{i}/{name}" for i in ids for name in ("upload.wav", "audio.mp3")}
    database.close()


def unfinished(database: Database, ids: list[str]) -> list[Any]:
    with database.read() as session:
        rows = session.execute(
            select(Step.transcript_id, Step.name, Step.state, Step.attempt, Step.error).where(
                Step.transcript_id.in_(ids), Step.state != StepState.DONE
            )
        )
        return [tuple(row) for row in rows][:20]


def look_closely(database: Database, ids: list[str]) -> None:
    with database.read() as session:
        steps = session.execute(
            select(Step.transcript_id, Step.state).where(Step.transcript_id.in_(ids))
        ).all()
        assert Counter(state for _, state in steps) == {"done": 10 * JOBS}
        texts = {
            "".join(word[0] for word in words)
            for words in session.scalars(select(Words.words).where(Words.transcript_id.in_(ids)))
        }
        assert len(texts) == 1
        assert len(texts.pop()) > 20
        events = session.execute(
            select(Event.transcript_id, Event.name, func.count())
            .where(Event.transcript_id.in_(ids), Event.name != "TOPIC")
            .group_by(Event.transcript_id, Event.name)
        ).all()
    once = {"DURATION", "WAVEFORM", "TRANSCRIPT", "FINAL_TITLE", "FINAL_LONG_SUMMARY",
            "FINAL_SHORT_SUMMARY", "ACTION_ITEMS"}  # fmt: skip
    assert [row for row in events if row.name in once and row[2] != 1] == []


def stored(cluster: Cluster, transcript_id: str) -> list[str]:
    from reflector.runtime import settings
    from reflector.storage import open_storage

    chosen = {k: v for k, v in cluster.settings.items() if k.startswith("TRANSCRIPT_STORAGE")}
    storage = open_storage(settings.load(DATA_DIR=cluster.data, **chosen))
    return storage.keys(transcript_id)
