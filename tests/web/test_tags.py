"""Tags on the pages: made, given to one or several recordings, filtered by, renamed and removed."""

from __future__ import annotations

from typing import Any

from tests.server import Server
from tests.web.test_library import row
from tests.web.test_pages import browser, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


def close_dialog(page: Any) -> None:
    page.click("#tags [data-close]")
    page.wait_for_function("() => !document.querySelector('#tags').open")


def test_recording_is_tagged_found_by_its_tag_and_loses_it(page: Any, server: Server) -> None:
    tagged, other = (server.create(name=f"to be tagged {number}") for number in range(2))
    page.goto(f"/transcripts/{tagged}")
    page.click("#tags-open")
    page.fill("#tags-name", "Board <i>meetings</i>")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tag-chips .tag")
    assert page.inner_text("#tag-chips").strip() == "Board <i>meetings</i>"
    close_dialog(page)
    page.goto("/")
    row(page, tagged).locator(".tag").wait_for()
    page.click("#filters summary")
    page.select_option("[name=tag]", label="Board <i>meetings</i>")
    row(page, other).wait_for(state="detached")
    page.reload()
    row(page, tagged).wait_for()
    assert row(page, other).count() == 0
    page.goto(f"/transcripts/{tagged}")
    page.click("#tags-open")
    page.locator("#tags-list label", has_text="Board").locator("input").uncheck()
    page.wait_for_selector("#tag-chips .tag", state="detached")


def test_several_recordings_are_tagged_at_once(page: Any, server: Server) -> None:
    ids = [server.create(name=f"several tagged {number}") for number in range(2)]
    tag = server.http.post("/v1/tags", json={"name": "Interviews"}).json()["id"]
    server.http.put(f"/v1/transcripts/{ids[0]}/tags/{tag}")
    page.goto("/?q=several")
    for transcript_id in ids:
        row(page, transcript_id).locator(".pick").check()
    page.click("#bulk-tags")
    box = page.locator("#tags-list label", has_text="Interviews").locator("input")
    assert box.evaluate("box => box.indeterminate")
    box.click()
    row(page, ids[1]).locator(".tag").wait_for()
    close_dialog(page)
    given = server.http.get("/v1/tags/of", params={"transcript": ids[1]}).json()
    assert given == {ids[1]: [tag]}


def test_tag_is_renamed_and_removed_and_a_taken_name_is_said(page: Any, server: Server) -> None:
    transcript_id = server.create(name="renaming")
    for name in ("Old name", "Taken"):
        server.http.post("/v1/tags", json={"name": name})
    page.goto(f"/transcripts/{transcript_id}")
    page.click("#tags-open")
    page.click("[aria-label='Edit the tag Old name']")
    page.fill("#tags-list [aria-label=Name]", "taken")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tags [data-problem]:not([hidden])")
    assert "already" in page.inner_text("#tags [data-problem]")
    page.click("[aria-label='Edit the tag Old name']")
    page.fill("#tags-list [aria-label=Name]", "New name")
    page.select_option("#tags-list [aria-label=Colour]", label="Green")
    page.click("#tags-list button:text('Save')")
    page.wait_for_selector("#tags-list .tag.speaker-2:text('New name')")
    page.click("[aria-label='Edit the tag New name']")
    page.click("#tags-list button:text('Remove')")
    page.wait_for_selector(".tag:text('New name')", state="detached")
    assert "New name" not in [tag["name"] for tag in server.get("/v1/tags")]
