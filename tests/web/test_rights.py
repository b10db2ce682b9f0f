"""What people see who may not do everything: no button that the server would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.people import PASSWORD
from tests.conftest import HELD_OUT
from tests.server import Server
from tests.web.test_accounts import EMAIL, log_in, server
from tests.web.test_pages import WIDE, browser, new_page, pytestmark

__all__ = ["browser", "pytestmark", "server"]


@pytest.fixture(scope="module")
def owner(server: Server) -> dict[str, str]:
    body = {"email": EMAIL, "password": PASSWORD}
    token = server.http.post("/v1/auth/login", json=body).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def shared(server: Server, owner: dict[str, str]) -> str:
    """A public transcript of Anna's."""
    server.http.headers.update(owner)
    transcript = server.upload(HELD_OUT)
    server.wait_for_status(transcript, "ended")
    server.http.patch(f"/v1/transcripts/{transcript}", json={"share_mode": "public"})
    server.http.headers.pop("Authorization")
    return transcript


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport=WIDE, base_url=server.url)
    yield new_page(context)
    context.close()


def test_stranger_reads_and_is_offered_nothing_else(page: Any, shared: str) -> None:
    page.goto(f"/transcripts/{shared}")
    page.wait_for_selector(".word")
    assert page.locator("#delete").count() == 0
    assert page.is_hidden("#process")
    assert page.locator(".turn .who button[title]").count() == 0
    page.wait_for_selector("#no-sound:not([hidden])")
    assert page.inner_text("#no-sound") == "Log in to hear this recording."
    assert page.is_hidden("#player")


def test_owner_is_offered_everything(page: Any, shared: str) -> None:
    page.goto(f"/login?back=/transcripts/{shared}")
    log_in(page)
    page.wait_for_selector(".turn .who button[title]")
    page.wait_for_selector("#player:not([hidden])")
    assert page.is_visible("#delete")
    assert page.is_visible("#process")


def test_login_leads_back_with_the_query(page: Any) -> None:
    page.goto("/?page=2")
    assert page.url.endswith("/login?back=/%3Fpage%3D2")
    log_in(page)
    page.wait_for_url("**/?page=2")


def test_name_that_was_typed_stays_where_the_session_has_ended(
    page: Any, shared: str, server: Server
) -> None:
    page.goto(f"/login?back=/transcripts/{shared}")
    log_in(page)
    page.locator(".turn .who button[title]").first.click()
    page.fill("#rename-name", "Anna")
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    page.wait_for_selector("#rename [data-problem]:not([hidden])")
    assert "session has ended" in page.inner_text("#rename [data-problem]")
    assert page.input_value("#rename-name") == "Anna"


def test_recording_whose_audio_was_deleted_says_so(
    page: Any, server: Server, owner: dict[str, str]
) -> None:
    server.http.headers.update(owner)
    transcript = server.upload(HELD_OUT)
    server.wait_for_status(transcript, "ended")
    server.http.patch(f"/v1/transcripts/{transcript}", json={"audio_deleted": True})
    server.http.headers.pop("Authorization")
    page.goto(f"/login?back=/transcripts/{transcript}")
    log_in(page)
    page.wait_for_selector("#no-sound:not([hidden])")
    assert page.inner_text("#no-sound") == "The audio of this recording was deleted."
    assert page.is_hidden("#player")


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [("/nowhere", 404, "There is nothing"), ("/transcripts/none", 404, "There is nothing")],
)
def test_what_cannot_be_shown_is_a_page_in_plain_words(
    page: Any, path: str, status: int, title: str
) -> None:
    answer = page.goto(path)
    assert answer.status == status
    assert page.inner_text("h1").startswith(title)
    assert page.locator("main a[href='/']").count() == 1


def test_what_is_not_shared_is_said_to_who_is_logged_in(
    page: Any, server: Server, owner: dict[str, str], shared: str
) -> None:
    """And asks those for a login who have none; programs get JSON."""
    created = server.http.post("/v1/transcripts", json={"name": "private"}, headers=owner).json()
    page.goto(f"/transcripts/{created['id']}")
    assert "/login?back=" in page.url
    answer = server.http.get(f"/v1/transcripts/{created['id']}", headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert "This is not shared with you" in answer.text
    answer = server.http.get(f"/v1/transcripts/{created['id']}")
    assert answer.json()["detail"] == "Transcript access denied"
