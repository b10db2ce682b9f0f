"""Find what was said: over all recordings, and inside one; name it, and share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.api.people import PASSWORD
from tests.conftest import HELD_OUT
from tests.server import Server
from tests.web import test_accounts
from tests.web.test_accounts import EMAIL, log_in
from tests.web.test_pages import WIDE, browser, new_page, open_sample, page, pytestmark

__all__ = ["accounts", "browser", "page", "pytestmark"]
accounts = test_accounts.server


@contextmanager
def held_back(page: Any, pattern: str) -> Iterator[None]:
    """Answer requests that match `pattern` only at the end of the block."""
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(pattern, hold)
    yield
    for route in held:
        route.continue_()
    page.unroute(pattern)


def test_what_was_said_is_found_and_marked(page: Any, sample_id: str) -> None:
    page.goto("/")
    page.fill("#q", "thirty thousand")
    page.wait_for_selector(".list mark")
    assert "q=thirty" in page.url
    page.reload()
    assert page.input_value("#q") == "thirty thousand"
    page.locator(f".list a[href*='{sample_id}']").click()
    page.wait_for_selector(".word.hit.current")
    assert page.inner_text("#find-count").startswith("1 of ")
    hits = page.locator(".word.hit").all_inner_texts()
    assert hits[:2] == ["thirty", "thousand"]


def test_what_is_typed_before_the_script_is_there_stays(page: Any, sample_id: str) -> None:
    with held_back(page, "**/index.js"):
        page.goto("/", wait_until="commit")
        page.fill("#q", "thirty")
        assert page.is_disabled("#choose")
    page.wait_for_selector(".list mark")
    with held_back(page, "**/transcript.js"):
        page.goto(f"/transcripts/{sample_id}", wait_until="commit")
        page.fill("#find", "thousand")
    page.wait_for_selector(".word.hit.current")
    assert page.inner_text(".word.hit.current") == "thousand"


def test_nothing_found_says_so(page: Any, sample_id: str) -> None:
    page.goto("/?q=xylophone")
    page.wait_for_selector("#found:not([hidden])")
    assert page.inner_text("#found") == "0 recordings for “xylophone”"
    page.fill("#q", "")
    page.wait_for_selector(".list a[href*='/transcripts/']")
    assert "q=" not in page.url


def test_find_goes_round_with_the_keyboard(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.wait_for_selector(".word")
    page.fill("#find", "Budget")
    total = int(page.inner_text("#find-count").split()[-1])
    assert total > 1
    for number in [*range(2, total + 1), 1]:
        page.keyboard.press("Enter")
        assert page.inner_text("#find-count") == f"{number} of {total}"
    page.fill("#find", "xylophone")
    assert page.inner_text("#find-count") == "none"
    assert page.is_disabled("#find-next")


def test_title_is_changed_and_a_foreign_change_is_not_overwritten(
    page: Any, server: Server
) -> None:
    transcript_id = server.upload(HELD_OUT)
    server.wait_for_status(transcript_id, "ended")
    path = f"/v1/transcripts/{transcript_id}"
    open_sample(page, transcript_id)
    page.click("#retitle")
    server.http.patch(path, json={"title": "Theirs"})
    page.wait_for_function("() => document.title.startsWith('Theirs')")
    page.fill("#retitle-input", "Ours")
    page.keyboard.press("Enter")
    page.wait_for_selector("#retitle-dialog [data-problem]:not([hidden])")
    assert "Theirs" in page.inner_text("#retitle-dialog [data-problem]")
    assert server.get(path)["title"] == "Theirs"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.title.startsWith('Ours')")
    assert server.get(path)["title"] == "Ours"


def test_owner_shares_by_a_choice_that_waits_for_the_script(browser: Any, accounts: Server) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    token = accounts.http.post("/v1/auth/login", json=body).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    made = accounts.http.post("/v1/transcripts", json={"name": "shared"}, headers=headers).json()
    context = browser.new_context(viewport=WIDE, base_url=accounts.url)
    page = new_page(context)
    path = f"/v1/transcripts/{made['id']}"
    page.goto(f"/login?back=/transcripts/{made['id']}")
    log_in(page)
    accounts.http.patch(path, json={"share_mode": "semi-private"}, headers=headers)
    with held_back(page, "**/transcript.js"):
        page.reload(wait_until="commit")
        page.wait_for_selector("#share-open")
        assert page.input_value("#share") == "semi-private"
        assert page.is_disabled("#share-open")
    page.click("#share-open")
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.select_option("#share", "public")
    assert accounts.http.get(path).json()["share_mode"] == "public"
    context.close()
