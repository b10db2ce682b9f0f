"""Names and titles that would like to be more than text, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import HELD_OUT
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.web.test_pages import WIDE, browser, new_page, pytestmark

__all__ = ["browser", "pytestmark"]
EVIL = '<img src=x onerror="document.title=1">{{ 7*7 }}[a](javascript:alert(1))'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("evil"), **WITHOUT_SPEAKERS) as started:
        yield started


def test_markup_in_names_and_titles_is_shown_as_text(browser: Any, server: Server) -> None:
    transcript = server.upload(HELD_OUT, name=EVIL)
    server.wait_for_status(transcript, "ended")
    path = f"/v1/transcripts/{transcript}"
    for method, where, body in (
        ("PATCH", path, {"title": EVIL, "long_summary": f"# {EVIL}\n- {EVIL}\n**{EVIL}**"}),
        ("POST", f"{path}/participants", {"speaker": 0, "name": EVIL}),
    ):
        assert server.http.request(method, where, json=body).status_code == 200
    context = browser.new_context(viewport=WIDE, base_url=server.url)
    page = new_page(context)
    for address, place in ((f"/transcripts/{transcript}", "#title"), ("/", "#list a")):
        page.goto(address)
        page.wait_for_selector(place)
        assert EVIL in page.inner_text(place)
        assert page.query_selector("main img[src=x]") is None
        assert page.query_selector("a[href^=javascript]") is None
        assert "49" not in page.inner_text(place)
    page.goto(f"/transcripts/{transcript}")
    page.wait_for_selector(".turn")
    assert EVIL in page.inner_text(".turn .who")
    context.close()
