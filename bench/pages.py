"""Measure the pages in Chromium: a meeting of two hours, a library of 10,000 recordings, a search.

Times are medians of RUNS, from the request to what is shown, on the machine that also runs the server.
Sizes of script and style are those after gzip, as Caddy sends them.
"""

from __future__ import annotations

import gzip
import statistics
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response, ViewportSize, sync_playwright

from bench import listing
from reflector.db.models import Topic, Transcript, now
from reflector.db.words import store_words
from reflector.runtime import settings
from reflector.search import index
from reflector.services import open_services
from reflector.transcript.words import Word
from tests.server import Server, running_server
from tests.web.test_pages import CHROMIUM, QUIET

RUNS = 5
WORDS, HOURS, TOPICS = 20_000, 2, 24
GOALS = {"meeting_shown_ms": 1000, "script_and_style_kb": 120}
VOCABULARY = "the plan of this quarter needs a budget and somebody who signs it"
SHOWN = (
    "count => document.querySelectorAll('#words-text .word').length === count && performance.now()"
)
FRAMES = """async () => {
    const times = [];
    for (let frame = 0; frame < 120; frame += 1) {
        const started = performance.now();
        scrollBy(0, 300);
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - started);
    }
    return times;
}"""
TYPED = """async query => {
    const input = document.querySelector("#q");
    const found = document.querySelector("#found");
    const before = found.textContent;
    const started = performance.now();
    input.value = query;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    while (found.textContent === before) await new Promise(requestAnimationFrame);
    return performance.now() - started;
}"""


def measure() -> dict[str, Any]:
    if CHROMIUM is None:
        raise SystemExit("chromium is not installed: `make test` as root installs it")
    with tempfile.TemporaryDirectory() as name:
        listing.fill(Path(name))
        meeting = _meeting(Path(name))
        with running_server(Path(name)) as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            return {
                "words": WORDS,
                "goals": GOALS,
                "meeting": _measure_meeting(browser, server, f"/transcripts/{meeting}"),
                "library": _measure_library(browser, server),
            }


def _meeting(folder: Path) -> str:
    """Add a meeting of WORDS words in HOURS hours, and index all recordings. Return its id."""
    services = open_services(settings.load(DATA_DIR=folder))
    seconds = 3600 * HOURS / WORDS
    said = VOCABULARY.split()
    words = [
        Word(f" {said[n % len(said)]}", n * seconds, (n + 0.8) * seconds, n // 40 % 6)
        for n in range(WORDS)
    ]
    with services.db.write() as session:
        transcript = Transcript(
            name="A long meeting", title="A long meeting", long_summary="They talked.", status="ended",
            source_kind="file", source_language="en", duration=3.6e6 * HOURS, shown_run=1, last_run=1,
            created_at=now() + timedelta(minutes=1),
        )  # fmt: skip
        session.add(transcript)
        session.flush()
        store_words(session, transcript.id, 1, words)
        each = WORDS // TOPICS
        for number in range(TOPICS):
            session.add(Topic(
                transcript_id=transcript.id, run=1, position=number, title=f"Topic {number}",
                summary="They talked.", timestamp=words[number * each].start, duration=300.0,
                first_word=number * each, last_word=(number + 1) * each,
            ))  # fmt: skip
        index.update(session, transcript, "en")
        found = transcript.id
    index.backfill(services.db)
    services.close()
    return found


def _open(browser: Browser, server: Server) -> tuple[Page, list[Response]]:
    """Return a page of a new browser profile, and its responses, which become more."""
    viewport: ViewportSize = {"width": 1360, "height": 900}
    page = browser.new_context(viewport=viewport, base_url=server.url).new_page()
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))  # noqa: PLW0108 – no builtins
    return page, responses


def _sizes(responses: list[Response]) -> dict[str, float]:
    """Return the compressed sizes of all bodies, and of script and style; kilobytes."""
    found = {"all_kb": 0.0, "script_and_style_kb": 0.0}
    for response in list(responses):
        size = len(gzip.compress(response.body())) / 1000
        found["all_kb"] += size
        if response.request.resource_type in {"script", "stylesheet"}:
            found["script_and_style_kb"] += size
    return {name: round(size, 1) for name, size in found.items()}


def _measure_meeting(browser: Browser, server: Server, path: str) -> dict[str, Any]:
    shown, painted = [], []
    for _ in range(RUNS):
        page, responses = _open(browser, server)
        page.goto(path)
        shown.append(page.wait_for_function(SHOWN, arg=WORDS).json_value())
        painted.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        loaded = _sizes(responses)
        frames = page.evaluate(FRAMES)
        page.context.close()
    return {
        "first_paint_ms": round(statistics.median(painted)),
        "shown_ms": round(statistics.median(shown)),
        "frame_median_ms": round(statistics.median(frames), 1),
        "frame_p95_ms": round(sorted(frames)[int(0.95 * len(frames))], 1),
        **loaded,
    }


def _measure_library(browser: Browser, server: Server) -> dict[str, Any]:
    shown, typed = [], []
    for run in range(RUNS):
        page, responses = _open(browser, server)
        page.goto("/")
        page.wait_for_selector(".list li")
        shown.append(page.evaluate("performance.now()"))
        loaded = _sizes(responses)
        typed.append(page.evaluate(TYPED, f"plan {run + 11}"))
        page.context.close()
    return {
        "recordings": listing.COUNT + 1,
        "shown_ms": round(statistics.median(shown)),
        "search_typed_to_shown_ms": round(statistics.median(typed)),
        **loaded,
    }
