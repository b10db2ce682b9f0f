"""A player in a real browser that gets its sound from the storage, by a signed link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import HELD_OUT
from tests.real.stack import Stack
from tests.waiting import wait_until
from tests.web.test_pages import browser, new_page, pytestmark
from tests.workers.cluster import Api, Process

__all__ = ["browser", "pytestmark"]


def test_sound_comes_from_the_storage(browser: Any, stack: Stack, tmp_path: Path) -> None:
    settings = {**stack.settings(), "TRANSCRIPT_STORAGE_AWS_PUBLIC_URL": stack.s3.url}
    api, worker = Api(tmp_path, settings), Process(tmp_path, settings, "worker")
    worker.start()
    context = browser.new_context(base_url=api.url)
    try:
        transcript_id = api.upload(HELD_OUT)
        api.wait_for_status(transcript_id, "ended")
        page = new_page(context)
        fetched: list[str] = []
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(f"/transcripts/{transcript_id}")
        length = "document.querySelector('#audio').duration"
        wait_until(lambda: page.evaluate(f"{length} > 5"), "the player knows the length")
        assert any(url.startswith(stack.s3.url) for url in fetched)
    finally:
        context.close()
        worker.kill()
        api.stop()
        stack.drop(settings)
