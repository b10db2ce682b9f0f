"""Measure bytes a second from a client on this machine to a file that is safely on the disk."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.recordings import repeated
from tests.server import running_server

CHUNK = 50 * 1000 * 1000
TOTAL = 20 * CHUNK
BOUNDARY = "reflector-bench"
GOAL_MB_S = 200


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = Path(name)
        content = repeated(folder / "a.wav", TOTAL / 2 / 16_000 / 60).read_bytes()[:TOTAL]
        disk = _disk_speed(folder / "plain", content)
        (folder / "data").mkdir()
        with running_server(folder / "data") as server:
            transcript_id = server.create()
            address = urlsplit(server.url).netloc
            times = [_send(address, transcript_id, content, n) for n in range(TOTAL // CHUNK)]
    chunks = sorted(times[:-1])
    return {
        "megabytes": TOTAL // 1_000_000,
        "mb_per_s": round(TOTAL / sum(times) / 1e6),
        "chunk_median_mb_per_s": round(CHUNK / chunks[len(chunks) // 2] / 1e6),
        "last_chunk_s": round(times[-1], 2),
        "disk_write_and_sync_mb_per_s": round(disk),
        "goal_mb_per_s": GOAL_MB_S,
    }


def _disk_speed(path: Path, content: bytes) -> float:
    """Write and sync the same bytes in the same pieces, without a server; return MB a second."""
    started = time.monotonic()
    with path.open("wb") as file:
        for start in range(0, len(content), CHUNK):
            file.write(content[start : start + CHUNK])
            file.flush()
            os.fsync(file.fileno())
    seconds = time.monotonic() - started
    path.unlink()
    return len(content) / seconds / 1e6


def _send(address: str, transcript_id: str, content: bytes, number: int) -> float:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="chunk"; filename="a.wav"\r\n\r\n'
    ).encode()
    body = (
        head + content[number * CHUNK : (number + 1) * CHUNK] + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    total = TOTAL // CHUNK
    path = (
        f"/v1/transcripts/{transcript_id}/record/upload?chunk_number={number}&total_chunks={total}"
    )
    connection = http.client.HTTPConnection(address, timeout=120)
    started = time.monotonic()
    connection.request(
        "POST", path, body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )
    response = connection.getresponse()
    answer = response.read()
    seconds = time.monotonic() - started
    connection.close()
    if response.status != 200:
        raise SystemExit(f"chunk {number}: {response.status} {answer.decode()}")
    return seconds
