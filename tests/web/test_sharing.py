"""Share a recording in the browser: what the owner offers, and what the other person sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import Server
from tests.web.test_accounts import log_in, server
from tests.web.test_pages import NARROW, browser, new_page, pytestmark
from tests.web.test_rights import owner, page, shared

__all__ = ["browser", "owner", "page", "pytestmark", "server", "shared"]


@pytest.fixture
def mine(server: Server, owner: dict[str, str], shared: str) -> Iterator[str]:
    """The transcript, private again, and the owner's browser has to log in."""
    path = f"/v1/transcripts/{shared}"
    server.http.patch(path, json={"share_mode": "private"}, headers=owner)
    yield shared
    shares = server.http.get(f"{path}/shares", headers=owner).json()
    for link in shares["links"]:
        server.http.delete(f"{path}/shares/links/{link['id']}", headers=owner)
    for person in shares["people"]:
        server.http.delete(f"{path}/shares/people/{person['user_id']}", headers=owner)
    server.http.patch(path, json={"share_mode": "public"}, headers=owner)


@pytest.fixture
def stranger(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport=NARROW, base_url=server.url)
    yield new_page(context)
    context.close()


def open_shares(page: Any, transcript: str) -> None:
    page.goto(f"/login?back=/transcripts/{transcript}")
    log_in(page)
    page.wait_for_selector(".word")
    page.click("#share-open")


def make_link(page: Any, *, password: str = "", with_sound: bool = False) -> str:
    page.fill("#share-link [name=password]", password)
    page.set_checked("#share-link [name=sound]", with_sound)
    before = page.locator("#share-links li").count()
    page.click("#share-link button")
    page.wait_for_function(
        "(n) => document.querySelectorAll('#share-links li').length > n", arg=before
    )
    url: str = page.input_value("#share-links input")
    return url


def test_link_opens_the_text_for_somebody_without_an_account(
    page: Any, stranger: Any, mine: str
) -> None:
    open_shares(page, mine)
    url = make_link(page)
    stranger.goto(url)
    assert stranger.url.endswith(f"/transcripts/{mine}")
    stranger.wait_for_selector(".word")
    stranger.wait_for_selector("#no-sound:not([hidden])")
    assert stranger.inner_text("#no-sound") == "This link is without the sound."
    assert stranger.is_hidden("#player")
    for offered in ("#share-open", "#delete", "#retitle", "#leave", "#tags-open"):
        assert stranger.locator(offered).count() == 0
    # Taken back while it is open: the page goes, and so does what it shows
    page.click("#share-links button:has-text('Remove')")
    stranger.wait_for_url("**/login?back=**")


def test_link_with_password_and_sound_plays(page: Any, stranger: Any, mine: str) -> None:
    open_shares(page, mine)
    url = make_link(page, password="open sesame", with_sound=True)
    stranger.goto(url)
    stranger.fill("[name=password]", "open barley")
    stranger.click("button.primary")
    assert "not the password" in stranger.inner_text("[role=alert]")
    stranger.fill("[name=password]", "open sesame")
    stranger.click("button.primary")
    stranger.wait_for_selector("#player:not([hidden])")
    duration = "() => document.querySelector('#audio').duration > 1"
    stranger.wait_for_function(duration)


def test_link_that_ended_is_said_in_plain_words(page: Any, stranger: Any, mine: str) -> None:
    open_shares(page, mine)
    url = make_link(page)
    page.click("#share-links button:has-text('Remove')")
    page.wait_for_function("() => !document.querySelector('#share-links li')")
    stranger.goto(url)
    assert "taken back" in stranger.inner_text("main")


def test_owner_sees_beforehand_what_the_recipient_sees(page: Any, mine: str) -> None:
    open_shares(page, mine)
    make_link(page)
    with page.expect_popup() as popup:
        page.click("#share-links a")
    preview = popup.value
    preview.wait_for_selector(".word")
    assert "what people see" in preview.inner_text(".notice.mild")
    assert preview.locator("#delete, #retitle, #share-open").count() == 0
    assert preview.is_hidden("#player")
    preview.click(".notice.mild a")
    preview.wait_for_selector("#delete")


def test_code_is_shown_and_hidden(page: Any, mine: str) -> None:
    open_shares(page, mine)
    make_link(page)
    code = page.locator("#share-links button:has-text('QR code')")
    code.click()
    page.wait_for_function("() => document.querySelector('.qr').naturalWidth > 20")
    code.click()
    assert page.is_hidden(".qr")


def test_person_is_added_changes_the_title_and_leaves(
    page: Any, stranger: Any, server: Server, owner: dict[str, str], mine: str
) -> None:
    friend = "bert@example.org"
    people = "/v1/administration/people"
    password = server.http.post(people, json={"email": friend}, headers=owner).json()["password"]
    open_shares(page, mine)
    page.fill("#share-person [name=email]", "nobody@example.org")
    page.click("#share-person button")
    page.wait_for_selector("#share-dialog [data-problem]:not([hidden])")
    assert "Nobody has an account" in page.inner_text("#share-dialog [data-problem]")
    assert page.input_value("#share-person [name=email]") == "nobody@example.org"
    page.fill("#share-person [name=email]", friend)
    page.select_option("#share-person [name=level]", "edit")
    page.click("#share-person button")
    page.wait_for_selector("#share-people li")
    assert friend in page.inner_text("#share-people")

    stranger.goto("/login")
    log_in(stranger, password, friend)
    # An administrator knows a first password, so nothing else opens before it is changed
    stranger.wait_for_selector(".notice:has-text('Choose your own')")
    stranger.goto(f"/transcripts/{mine}")
    stranger.wait_for_selector(".notice:has-text('Choose your own')")
    own = "a password of his own"
    for name, value in (("current", password), ("new", own), ("again", own)):
        stranger.fill(f"[name={name}]", value)
    stranger.click("button:text('Change the password')")
    stranger.wait_for_selector(".said")
    stranger.goto("/")
    stranger.click(".list a")
    stranger.wait_for_selector(".word")
    assert stranger.locator("#delete, #share-open").count() == 0
    stranger.click("#retitle")
    stranger.fill("#retitle-input", "Bert was here")
    stranger.keyboard.press("Enter")
    page.wait_for_function("() => document.title.startsWith('Bert was here')")
    stranger.click("#leave")
    stranger.wait_for_url(lambda url: url.endswith("/"))
    stranger.wait_for_selector("#empty:not([hidden])")


def test_choice_of_readers_is_kept(
    page: Any, server: Server, owner: dict[str, str], mine: str
) -> None:
    open_shares(page, mine)
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.select_option("#share", "semi-private")
    path = f"/v1/transcripts/{mine}"
    assert server.http.get(path, headers=owner).json()["share_mode"] == "semi-private"


def test_dialog_fits_on_a_phone_and_is_left_by_the_keyboard(
    browser: Any, server: Server, mine: str
) -> None:
    context = browser.new_context(viewport=NARROW, base_url=server.url)
    page = new_page(context)
    open_shares(page, mine)
    make_link(page)
    overflow = "() => { const d = document.querySelector('#share-dialog'); return d.scrollWidth - d.clientWidth }"
    assert page.evaluate(overflow) <= 0
    page.keyboard.press("Escape")
    assert page.is_hidden("#share-dialog")
    assert page.evaluate("document.activeElement.id") == "share-open"
    context.close()
