"""Rooms on their page, at their address, in the filter and where a recording is made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import ROOM
from tests.conftest import SAMPLE
from tests.server import Server
from tests.waiting import wait_until
from tests.web.test_accounts import log_in
from tests.web.test_accounts import server as with_accounts
from tests.web.test_pages import browser, new_page, page, pytestmark

__all__ = ["browser", "page", "pytestmark", "with_accounts"]


def make(server: Server, name: str) -> str:
    answer = server.http.post("/v1/rooms", json={**ROOM, "name": name})
    return str(answer.json()["id"])


def recordings(server: Server, room: str) -> list[Any]:
    found: list[Any] = server.get("/v1/transcripts", room_id=room)["items"]
    return found


def test_room_is_made_renamed_and_deleted(page: Any, server: Server) -> None:
    page.goto("/")
    page.click("nav a:text('Rooms')")
    page.click("#new")
    page.fill("#room-name", "Board <b>room</b>")
    page.click("#room button:text('Save')")
    page.wait_for_selector("#room [data-problem]:not([hidden])")  # it cannot be an address
    page.fill("#room-name", "Board")
    assert page.text_content("#room-address") == f"Its address: {server.url}/Board"
    page.click("#room button:text('Save')")
    page.click("[aria-label='Edit the room Board']")
    page.fill("#room-name", "Vorstand ä")
    page.click("#room button:text('Save')")
    page.wait_for_selector("#list li:has-text('Vorstand ä')")
    (room,) = [each for each in server.get("/v1/rooms")["items"] if each["name"] == "Vorstand ä"]
    server.http.post("/v1/transcripts", json={"name": "of the board", "room_id": room["id"]})
    page.click("[aria-label='Edit the room Vorstand ä']")
    page.click("#room-remove")
    page.wait_for_selector("#removal[open] :text('You see 1 recording in it.')")
    page.click("#removal button:text('Delete')")
    page.wait_for_selector("#list li:has-text('Vorstand ä')", state="detached")
    (kept,) = recordings(server, room["id"])
    assert kept["name"] == "of the board"


def upload(page: Any, name: str) -> None:
    """Upload the sample as a recording that this server has not seen."""
    content = SAMPLE.read_bytes() + name.encode()
    page.set_input_files("#file", {"name": name, "mimeType": "audio/flac", "buffer": content})


def test_upload_at_the_address_of_a_room_goes_into_it(page: Any, server: Server) -> None:
    room = make(server, "Atelier")
    page.goto("/atelier")
    page.wait_for_url(f"**/?room_id={room}")
    page.wait_for_selector("#upload-room-said:text('New recordings go into the room Atelier.')")
    assert page.locator("#list li").count() == 0
    upload(page, "atelier.flac")
    wait_until(lambda: recordings(server, room) or page.wait_for_timeout(100), "the upload")
    assert recordings(server, room)[0]["room_name"] == "Atelier"


def test_upload_goes_on_where_its_room_was_deleted_meanwhile(page: Any, server: Server) -> None:
    room = make(server, "Short-lived")
    page.goto(f"/?room_id={room}")
    page.wait_for_selector("#upload-room-said:not([hidden])")
    assert server.http.delete(f"/v1/rooms/{room}").status_code == 200
    before = server.get("/v1/transcripts", size=1)["total"]
    upload(page, "orphan.flac")

    def is_made() -> bool:
        page.wait_for_timeout(100)
        return bool(server.get("/v1/transcripts", size=1)["total"] > before)

    wait_until(is_made, "the upload")
    assert recordings(server, room) == []


@pytest.mark.parametrize("path", ["/no-such-room", "/rooms/no-such-page"])
def test_address_that_is_no_room_is_said_to_be_none(page: Any, path: str) -> None:
    page.goto(path)
    page.wait_for_selector("h1:text('There is nothing at this address')")


def test_shared_room_says_who_reads_what_goes_into_it(browser: Any, with_accounts: Server) -> None:
    context = browser.new_context(base_url=with_accounts.url)
    opened = new_page(context)
    opened.goto("/rooms")
    log_in(opened)
    opened.goto("/rooms")
    opened.click("#new")
    opened.fill("#room-name", "Everybody")
    opened.check("#room-shared")
    opened.click("#room button:text('Save')")
    opened.wait_for_selector("#list li:has-text('shared')")
    opened.click("#list a:has-text('Everybody')")
    opened.wait_for_selector("#upload-room-said:has-text('Everybody with an account here may')")
    opened.click("#filter-clear")
    opened.wait_for_selector("#upload-room-said", state="hidden")
    context.close()
