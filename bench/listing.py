"""Measure the list of 10,000 transcripts on the embedded database."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from reflector.db.models import Status, Transcript, now
from reflector.runtime import settings
from reflector.services import open_services
from tests.server import running_server

COUNT, REQUESTS = 10_000, 200
GOAL_MS = 50


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name))
        with running_server(Path(name)) as server:
            result: dict[str, Any] = {"transcripts": COUNT, "goal_median_ms": GOAL_MS}
            queries: dict[str, dict[str, str | int]] = {
                "first_page_of_50": {},
                "page_100": {"page": 100},
                "title": {"search_term": "99"},
            }
            for label, query in queries.items():
                times = []
                for _ in range(REQUESTS):
                    started = time.perf_counter()
                    server.http.get("/v1/transcripts", params=query).raise_for_status()
                    times.append(1000 * (time.perf_counter() - started))
                times.sort()
                result[label] = {
                    "median_ms": round(statistics.median(times), 1),
                    "p95_ms": round(times[int(0.95 * len(times))], 1),
                }
    return result


def fill(folder: Path) -> None:
    """Put COUNT transcripts into the data folder `folder`."""
    services = open_services(settings.load(DATA_DIR=folder))
    start = now()
    with services.db.write() as session:
        session.add_all(
            Transcript(
                name=f"Meeting {number}",
                title=f"Quarterly plan {number}",
                short_summary="They talked about the plan and the budget. " * 4,
                long_summary="# Quick recap\n\nThey talked.\n" * 20,
                status=Status.ENDED,
                source_kind="file",
                source_language="en",
                duration=3.6e6,
                created_at=start - timedelta(minutes=number),
            )
            for number in range(COUNT)
        )
    services.close()
