"""The list of recordings: filters in the address, and what is done with several at once."""

from __future__ import annotations

import re
from typing import Any

from tests.api.people import PASSWORD
from tests.conftest import HELD_OUT
from tests.server import Server
from tests.web import test_accounts
from tests.web.test_accounts import EMAIL, log_in
from tests.web.test_pages import WIDE, browser, new_page, page, pytestmark

__all__ = ["accounts", "browser", "page", "pytestmark"]
accounts = test_accounts.server


def row(page: Any, transcript_id: str) -> Any:
    return page.locator(f".list li:has(a[href*='{transcript_id}'])")


def test_filters_are_in_the_address_and_can_be_cleared(page: Any, server: Server) -> None:
    upload = server.create(name="an upload", source_kind="file")
    live = server.create(name="a live one", source_kind="live")
    page.goto("/")
    row(page, live).wait_for()
    page.click("#filters summary")
    page.select_option("[name=source]", "file")
    row(page, live).wait_for(state="detached")
    row(page, upload).wait_for()
    assert "source=file" in page.url
    page.reload()
    row(page, upload).wait_for()
    assert row(page, live).count() == 0
    page.fill("[name=speaker]", "Ada")
    page.keyboard.press("Tab")
    row(page, upload).wait_for(state="detached")
    server.http.post(f"/v1/transcripts/{upload}/participants", json={"name": "Ada Lovelace"})
    page.reload()
    row(page, upload).wait_for()
    assert "speaker=Ada" in page.url
    page.click("#filter-clear")
    row(page, live).wait_for()
    assert "source" not in page.url


def test_days_are_those_of_the_reader_and_whole(page: Any, server: Server) -> None:
    today = server.create(name="today")
    day = page.evaluate("new Date().toLocaleDateString('sv')")
    page.goto(f"/?from={day}&to={day}")
    row(page, today).wait_for()
    page.goto("/?to=2020-01-01")
    page.wait_for_selector("#found:not([hidden])")
    assert page.inner_text("#found") == "0 recordings"
    assert page.is_visible("#filter-clear")
    page.goto("/?from=nonsense")
    row(page, today).wait_for()


def test_several_go_to_the_trash_and_come_back(page: Any, server: Server) -> None:
    ids = [server.create(name=f"bulk {number}") for number in range(3)]
    page.goto("/?q=bulk")
    row(page, ids[0]).locator(".pick").check()
    page.click("#bulk-all")
    assert page.inner_text("#bulk-count") == "3 selected"
    row(page, ids[2]).locator(".pick").uncheck()
    assert page.inner_text("#bulk-count") == "2 selected"
    page.click("#bulk-trash")
    page.wait_for_function(
        "() => document.querySelector('#bulk-said').textContent.startsWith('2 rec')"
    )
    row(page, ids[0]).wait_for(state="detached")
    assert row(page, ids[2]).count() == 1
    assert [server.http.get(f"/v1/transcripts/{each}").status_code for each in ids] == [
        404,
        404,
        200,
    ]
    page.click("#bulk-said button")
    row(page, ids[0]).wait_for()
    assert [server.http.get(f"/v1/transcripts/{each}").status_code for each in ids] == [200] * 3


def test_several_are_processed_again_and_what_cannot_be_says_why(page: Any, server: Server) -> None:
    ready = server.upload(HELD_OUT, name="again one")
    server.wait_for_status(ready, "ended")
    empty = server.create(name="again two")
    page.goto("/")
    for each in (ready, empty):
        row(page, each).locator(".pick").check()
    page.click("#bulk-process")
    page.click("#bulk-dialog button[value=ok]")
    page.wait_for_selector("#bulk-said:not([hidden])")
    assert re.match(
        r"1 recording was put into the queue\. 1 could not be: Recording is not ready",
        page.inner_text("#bulk-said"),
    )
    assert server.get(f"/v1/transcripts/{ready}/run")["run"] == 2
    server.wait_for_status(ready, "ended")


def test_several_are_shared_and_others_recordings_cannot_be_chosen(
    browser: Any, accounts: Server
) -> None:
    token = accounts.http.post(
        "/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    made = accounts.http.post("/v1/transcripts", json={"name": "mine"}, headers=headers).json()
    context = browser.new_context(viewport=WIDE, base_url=accounts.url)
    page = new_page(context)
    page.goto("/login?back=/")
    log_in(page)
    row(page, made["id"]).locator(".pick").check()
    page.select_option("#bulk-share", "public")
    page.wait_for_selector("#bulk-said:not([hidden])")
    answer = accounts.http.get(f"/v1/transcripts/{made['id']}")
    assert answer.json()["share_mode"] == "public"
    context.close()
