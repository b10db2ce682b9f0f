"""What a browser needs to install the pages, and what a tab in the background says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import HELD_OUT
from tests.server import Server
from tests.web.test_pages import browser, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


def test_browser_finds_nothing_wrong_with_the_manifest(page: Any, server: Server) -> None:
    page.goto("/trash")
    found = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert json.loads(found["data"])["name"] == "Reflector"
    assert found["manifest"]["startUrl"] == f"{server.url}/"
    for icon in found["manifest"]["icons"]:
        answer = server.http.get(icon["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize("is_hidden", [True, False])
def test_tab_in_the_background_says_that_the_work_is_done(
    page: Any, server: Server, is_hidden: bool
) -> None:
    transcript_id = server.create(name="meeting")
    page.add_init_script(
        f"Object.defineProperty(document, 'hidden', {{ get: () => window.away ?? {json.dumps(is_hidden)} }})"
    )
    page.goto(f"/transcripts/{transcript_id}")
    page.wait_for_selector("#status.idle")
    server.send_chunk(transcript_id, HELD_OUT.read_bytes(), 0, 1)
    page.wait_for_selector("#status.ended")
    assert page.title().startswith("✓") is is_hidden
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    assert not page.title().startswith("✓")
