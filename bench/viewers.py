"""Measure 200 viewers of one transcript with ten events a second.

The events go through Redis and one API process.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from bench.api import memory
from reflector.events import Bus, Message, transcript_channel
from reflector.events.relay import RedisRelay
from tests.real.stack import Stack
from tests.workers.cluster import Api

VIEWERS, EVENTS_PER_S, SECONDS = 200, 10, 15


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        stack = Stack(Path(name) / "stack", is_durable=True)
        try:
            data = Path(name) / "data"
            data.mkdir()
            settings = stack.settings()
            api = Api(data, settings)
            transcript_id = api.create()
            times = asyncio.run(_watch(api.url, transcript_id, settings["REDIS_URL"]))
            used = memory(api.process.pid)
            api.stop()
        finally:
            stack.stop()
    expected = VIEWERS * EVENTS_PER_S * SECONDS
    times.sort()
    return {
        "viewers": VIEWERS,
        "events_per_s": EVENTS_PER_S,
        "messages": len(times),
        "lost": expected - len(times),
        "p50_ms": round(1000 * statistics.median(times), 1),
        "p95_ms": round(1000 * times[int(0.95 * len(times))], 1),
        "memory": used,
    }


async def _watch(url: str, transcript_id: str, redis_url: str) -> list[float]:
    """Return the seconds from publishing to arrival, for each message and viewer."""
    address = f"{url.replace('http', 'ws', 1)}/v1/transcripts/{transcript_id}/events"
    times: list[float] = []
    ready = asyncio.Semaphore(0)

    async def view() -> None:
        async with connect(address) as socket:
            await socket.recv()  # the status
            ready.release()
            for _ in range(EVENTS_PER_S * SECONDS):
                message = json.loads(await asyncio.wait_for(socket.recv(), 30))
                times.append(time.time() - message["data"]["at"])

    viewers = [asyncio.create_task(view()) for _ in range(VIEWERS)]
    for _ in range(VIEWERS):
        await ready.acquire()
    publisher = threading.Thread(target=_publish, args=(redis_url, transcript_id))
    publisher.start()
    await asyncio.gather(*viewers, return_exceptions=True)
    publisher.join()
    return times


def _publish(redis_url: str, transcript_id: str) -> None:
    relay = RedisRelay(redis_url, Bus())
    start = time.monotonic()
    for number in range(EVENTS_PER_S * SECONDS):
        time.sleep(max(0.0, start + number / EVENTS_PER_S - time.monotonic()))
        message = Message("PROGRESS", {"at": time.time(), "step": "x", "fraction": 0.5})
        relay.publish(transcript_channel(transcript_id), message.text)
    relay.close()
