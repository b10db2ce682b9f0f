"""Without a server: what was opened can be read, and nothing private outlives the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HELD_OUT
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.web.test_accounts import log_in
from tests.web.test_accounts import server as with_accounts
from tests.web.test_pages import browser, fresh, new_page, pytestmark

__all__ = ["browser", "pytestmark", "with_accounts"]

CONTROLLED = "() => navigator.serviceWorker.controller !== null"


def app(browser: Any, url: str) -> Any:
    """A page whose service worker may run."""
    return new_page(browser.new_context(base_url=url, service_workers="allow"))


def open_controlled(page: Any, path: str) -> None:
    """The first page of all comes before the service worker."""
    page.goto(path)
    page.wait_for_function(CONTROLLED)
    page.goto(path)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may stop."""
    with running_server(tmp_path, **WITHOUT_SPEAKERS) as server:
        yield server


def test_what_was_opened_is_read_without_the_server(browser: Any, alone: Server) -> None:
    opened = alone.upload(HELD_OUT, name="opened before")
    alone.wait_for_status(opened, "ended")
    other = alone.create(name="never opened")
    page = app(browser, alone.url)
    open_controlled(page, "/")
    page.wait_for_selector(".list li")
    page.goto(f"/transcripts/{opened}")
    page.wait_for_selector(".turn .word")
    alone.kill()
    page.reload()
    page.wait_for_selector(".turn .word")
    assert "Hello everyone" in page.inner_text("#words-text")
    page.wait_for_selector("#offline:not([hidden])")
    page.goto("/")
    page.wait_for_selector(".list li")
    page.wait_for_selector("#offline:not([hidden])")
    page.goto(f"/transcripts/{other}")
    page.wait_for_selector("h1:text('The server cannot be reached')")
    page.click("#opened a")
    page.wait_for_selector(".turn .word")
    page.context.close()


def test_pages_are_new_again_when_the_server_is_back(
    browser: Any, alone: Server, tmp_path: Path
) -> None:
    transcript = alone.create(name="old name")
    page = app(browser, alone.url)
    open_controlled(page, "/")
    page.goto(f"/transcripts/{transcript}")
    page.wait_for_selector("#title:text('old name')")
    port = int(alone.url.rpartition(":")[2])
    alone.stop()
    page.reload()
    page.wait_for_selector("#title:text('old name')")
    with running_server(tmp_path, port, **WITHOUT_SPEAKERS) as again:
        again.http.patch(f"/v1/transcripts/{transcript}", json={"title": "New name"})
        page.reload()
        page.wait_for_selector("#title:text('New name')")
        page.wait_for_selector("#offline", state="hidden")
    page.context.close()


def kept(page: Any) -> int:
    """How many pages and texts the browser keeps."""
    found: int = page.evaluate(
        """async () => {
            let count = 0;
            for (const name of await caches.keys())
                if (name.includes(":opened-")) count += (await (await caches.open(name)).keys()).length;
            return count;
        }"""
    )
    return found


def test_nothing_is_kept_after_the_session(browser: Any, with_accounts: Server) -> None:
    for ending in ("log out", "expiry"):
        page = app(browser, with_accounts.url)
        page.goto("/login")
        log_in(page)
        page.wait_for_selector("#empty:not([hidden]), .list li")
        page.wait_for_function(CONTROLLED)
        page.goto("/")
        page.wait_for_selector("#empty:not([hidden]), .list li")
        assert kept(page) > 0
        if ending == "log out":
            page.click("#log-out button")
        else:
            page.context.clear_cookies()
            page.goto("/")
        page.wait_for_selector("input[type=password]")
        assert kept(page) == 0, ending
        page.context.close()


def test_another_account_sees_nothing_of_the_one_before(
    browser: Any, with_accounts: Server
) -> None:
    page = app(browser, with_accounts.url)
    page.goto("/login")
    log_in(page)
    page.wait_for_function(CONTROLLED)
    page.goto("/")
    page.wait_for_selector("#empty:not([hidden]), .list li")
    assert kept(page) > 0
    page.goto("/login")  # over a session that still lives, or has ended without a word
    page.wait_for_selector("input[type=password]")
    assert kept(page) == 0
    page.context.close()


def test_what_was_destroyed_is_kept_no_more(browser: Any, alone: Server) -> None:
    transcript = alone.create(name="to be destroyed")
    page = app(browser, alone.url)
    open_controlled(page, "/")
    page.goto(f"/transcripts/{transcript}")
    page.wait_for_selector("#title:text('to be destroyed')")
    page.wait_for_load_state("networkidle")
    page.goto("/trash")
    alone.http.delete(f"/v1/transcripts/{transcript}")
    alone.http.delete(f"/v1/transcripts/{transcript}/destroy")
    page.goto(f"/transcripts/{transcript}")
    page.wait_for_selector("h1:text('There is nothing at this address')")
    found = page.evaluate(
        """async (id) => {
            const found = [];
            for (const name of await caches.keys())
                for (const { url } of await (await caches.open(name)).keys()) if (url.includes(id)) found.push(url);
            return found;
        }""",
        transcript,
    )
    assert found == []
    page.context.close()


def test_recording_that_another_app_shares_is_uploaded(
    browser: Any, alone: Server, tmp_path: Path
) -> None:
    page = app(browser, alone.url)
    open_controlled(page, "/")
    page.evaluate(
        """() => {
            document.body.innerHTML = `<form id="app" method="post" action="/share" enctype="multipart/form-data">
                <input type="file" name="recordings"><button>Share</button></form>`;
        }"""
    )
    page.set_input_files("#app input", fresh(tmp_path))
    page.click("#app button")
    page.wait_for_url("**/?shared")
    assert alone.get("/v1/transcripts")["items"] == []  # any site can send a form
    page.click(".upload button:text-is('Upload')")
    page.wait_for_selector(".list li .badge")
    (found,) = alone.get("/v1/transcripts")["items"]
    alone.wait_for_status(found["id"], "ended")
    page.reload()
    page.wait_for_selector(".list li")
    assert len(alone.get("/v1/transcripts")["items"]) == 1
    page.context.close()


def test_without_a_service_worker_sharing_leads_to_the_library(alone: Server) -> None:
    answer = alone.http.post("/share", files={"recordings": ("a.mp3", b"x")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?shared")


def test_service_worker_has_all_files_and_is_looked_for_anew(alone: Server) -> None:
    answer = alone.http.get("/service-worker.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    files = answer.text.partition('"files": [')[2].partition("]")[0].split(", ")
    assert len(files) > 30
    for file in files:
        assert alone.http.get(file.strip('"')).status_code == 200
