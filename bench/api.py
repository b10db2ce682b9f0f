"""Measure the API on PostgreSQL, Redis and S3 with one gunicorn worker.

The result has the reference's figures beside it.
The figures in `REFERENCE` (0.45, one uvicorn worker, PostgreSQL 15, 1,000 transcripts, two cores
with one of them busy) come from a separate measurement on another machine of the same size.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.load import measure as load
from reflector.accounts.tokens import Signer
from reflector.db.engine import Database
from reflector.db.models import Status, Topic, Transcript, now
from reflector.db.words import store_words
from reflector.search import index
from reflector.transcript.words import Word
from tests.real.stack import SECRET, Stack
from tests.workers.cluster import Api

LISTED, SEARCHED = 10_000, 1_000
WORDS_PER_HOUR = 9_000
SECONDS = 4.0
OWNER = "bench-user"
# One client; with `_16` sixteen. Megabytes of memory, seconds until the first answer
REFERENCE = {
    "list": {"requests_per_s": 37, "p50_ms": 24, "p95_ms": 44},
    "list_16": {"requests_per_s": 51},
    "one": {"requests_per_s": 66, "p50_ms": 14, "p95_ms": 24},
    "one_16": {"requests_per_s": 109},
    "search": {"requests_per_s": 30, "p50_ms": 32, "p95_ms": 42},
    "search_16": {"requests_per_s": 28},
    "search_empty": {"requests_per_s": 120, "p50_ms": 7.6, "p95_ms": 13},
    "memory_mb": 278,
    "start_s": 22.6,
}
GOALS = {"list": 10, "search": 10, "search_empty": 10, "one": 5}


def vocabulary(dice: random.Random) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(dice.choices(letters, k=dice.randint(3, 9))) for _ in range(20_000)]


def words(dice: random.Random, known: list[str], count: int) -> list[Word]:
    """Return `count` words with the frequencies of speech.

    The n-th most frequent occurs 1/n as often as the first (Zipf).
    """
    weights = [1 / (rank + 1) for rank in range(len(known))]
    result = []
    for number, text in enumerate(dice.choices(known, weights, k=count)):
        dot = "." if number % 14 == 13 else ""
        result.append(Word(f" {text}{dot}", 0.4 * number, 0.4 * number + 0.3, number // 60 % 3))
    return result


def fill(url: str, count: int, spoken: int, known: list[str]) -> list[str]:
    """Store `count` transcripts, and return their ids.

    The first `spoken` have an hour of words each.
    """
    dice = random.Random(1)
    database = Database(url.replace("://", "+psycopg://"))
    ids = []
    for start in range(0, count, 100):
        with database.write() as session:
            for number in range(start, min(start + 100, count)):
                row = Transcript(
                    name=f"Meeting {number}", title=f"Plan {number} {dice.choice(known)}",
                    short_summary="They talked about the plan and the budget. " * 4,
                    long_summary="# Quick recap\n\nThey talked about it.\n" * 10,
                    status=Status.ENDED, source_kind="file", source_language="en",
                    duration=3.6e6, user_id=OWNER, shown_run=1,
                    created_at=now() - timedelta(minutes=number),
                )  # fmt: skip
                session.add(row)
                session.flush()
                ids.append(row.id)
                if number < spoken:
                    said = words(dice, known, WORDS_PER_HOUR)
                    store_words(session, row.id, 1, said)
                    for position in range(0, WORDS_PER_HOUR, 900):
                        session.add(Topic(
                            transcript_id=row.id, run=1, position=position, title="t", summary="s",
                            timestamp=said[position].start, duration=360.0,
                            first_word=position, last_word=position + 900,
                        ))  # fmt: skip
                index.update(session, row, "en")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    database.close()
    return ids


def memory(pid: int) -> dict[str, float]:
    """Return memory in MB: `resident` of each process, and `proportional` of all together.

    The proportional figure counts shared pages once.
    """
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    full = [member.memory_full_info() for member in family]
    return {
        "resident_mb": [round(info.rss / 1e6) for info in full],  # type: ignore[dict-item]
        "proportional_mb": round(sum(info.pss for info in full) / 1e6),
    }


@contextmanager
def writes(url: str) -> Iterator[None]:
    """Commit twenty times a second meanwhile, so that no answer can come from the cache."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.wait(0.05):
                connection.execute("INSERT INTO login_attempt (key, at) VALUES ('x', now())")

    thread = threading.Thread(target=write)
    thread.start()
    yield
    stop.set()
    thread.join()


def _all(port: int, headers: dict[str, str], paths: dict[str, list[str]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for label, some in paths.items():
        load(port, headers, some, 1.0)
        for clients in (1, 16):
            key = label if clients == 1 else f"{label}_16"
            result[key] = load(port, headers, some, SECONDS, clients)
            if reference := REFERENCE.get(key):
                times = result[key]["requests_per_s"] / reference["requests_per_s"]  # type: ignore[index]
                result[key]["times_the_reference"] = round(times, 1)
    return result


def measure() -> dict[str, Any]:
    dice = random.Random(2)
    known = vocabulary(dice)
    with tempfile.TemporaryDirectory() as name:
        stack = Stack(Path(name) / "stack", is_durable=True)
        try:
            return _measure(Path(name), stack, dice, known)
        finally:
            stack.stop()


def _measure(folder: Path, stack: Stack, dice: random.Random, known: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {"reference": REFERENCE, "goals": GOALS}
    settings = {**stack.settings(), "AUTH_BACKEND": "password"}
    ids = fill(settings["DATABASE_URL"], LISTED, SEARCHED, known)
    headers = {"Authorization": f"Bearer {Signer(SECRET).login(OWNER, 'bench@example.org', 0)}"}
    data = folder / "data"
    data.mkdir()
    started = time.perf_counter()
    api = Api(data, settings)
    api.get("/health")
    result["start_s"] = round(time.perf_counter() - started, 1)
    port = int(api.url.rpartition(":")[2])
    result["memory_after_start"] = memory(api.process.pid)
    rare = [word for word in known[200:2000] if len(word) > 5]
    paths = {
        "list": ["/v1/transcripts"],
        "list_other_pages": [f"/v1/transcripts?page={page}" for page in range(1, 200)],
        "one": [f"/v1/transcripts/{i}" for i in ids[:50]],
        "one_topics": [f"/v1/transcripts/{i}/topics" for i in ids[:50]],
        "search": [f"/v1/transcripts/search?q={dice.choice(rare)}" for _ in range(50)],
        "search_common": [f"/v1/transcripts/search?q={word}" for word in known[:5]],
        "search_empty": [f"/v1/transcripts/search?q=&offset={20 * n}" for n in range(200)],
    }
    for state in ("quiet", "busy"):
        with writes(settings["DATABASE_URL"]) if state == "busy" else nullcontext():
            result[state] = _all(port, headers, paths)
    result["memory_after_load"] = memory(api.process.pid)
    api.stop()
    return result
