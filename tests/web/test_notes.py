"""Notes and bookmarks at moments of a recording, in the browser."""

from __future__ import annotations

from typing import Any

from tests.server import Server
from tests.waiting import wait_until
from tests.web.test_pages import (
    browser,
    open_sample,
    page,
    pytestmark,
)

__all__ = ["browser", "page", "pytestmark"]


def test_note_is_kept_at_the_moment_of_the_player_and_changed(
    page: Any, server: Server, sample_id: str
) -> None:
    open_sample(page, sample_id)
    page.wait_for_function("() => document.querySelector('audio').duration > 20")
    page.evaluate("document.querySelector('audio').currentTime = 12")
    page.wait_for_function("() => document.querySelector('#note-at').textContent === '0:12'")
    page.fill("#note-text", "<b>the budget</b>")
    page.click("#note-form button")
    page.wait_for_selector(".note")
    assert page.inner_text(".note span") == "<b>the budget</b>"
    assert page.input_value("#note-text") == ""
    page.evaluate("document.querySelector('audio').currentTime = 3")
    page.wait_for_function("() => document.querySelector('#note-at').textContent === '0:03'")
    page.click("#note-form button")
    page.wait_for_function("() => document.querySelectorAll('.note').length === 2")
    assert page.inner_text(".note >> nth=0").startswith("0:03 Bookmark")

    page.click(".note >> nth=1 >> .edit >> nth=0")
    page.fill(".note textarea", "the money")
    page.click(".note .primary")
    page.wait_for_function(
        "() => document.querySelectorAll('.note span')[1]?.textContent === 'the money'"
    )
    page.reload()
    page.wait_for_selector(".note")
    page.click(".note >> nth=1 >> .link >> nth=0")
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 12")
    page.click(".note >> nth=1 >> .edit >> nth=1")
    page.wait_for_function("() => document.querySelectorAll('.note').length === 1")
    notes = server.get(f"/v1/transcripts/{sample_id}/notes")
    assert [note["text"] for note in notes] == [""]


def test_note_that_cannot_be_kept_stays_in_its_box(
    page: Any, server: Server, sample_id: str
) -> None:
    open_sample(page, sample_id)
    page.route("**/notes", lambda route: route.abort())
    page.fill("#note-text", "not lost")
    page.click("#note-form button")
    page.wait_for_selector("#error:not([hidden])")
    assert page.input_value("#note-text") == "not lost"


def test_time_that_is_pressed_before_the_player_is_there_is_played(
    page: Any, server: Server, sample_id: str
) -> None:
    server.http.post(
        f"/v1/transcripts/{sample_id}/notes", json={"at": 14, "text": "early"}
    ).raise_for_status()
    held: list[Any] = []
    page.route(f"**/v1/transcripts/{sample_id}/words*", lambda route: held.append(route))  # noqa: PLW0108 (it sets attributes)
    page.goto(f"/transcripts/{sample_id}")
    page.locator(".note", has_text="early").locator(".link").first.click()
    assert page.is_hidden("#player")
    wait_until(lambda: page.wait_for_timeout(50) or held, "the words that are held back")
    held.pop().continue_()
    page.wait_for_function("() => document.querySelector('audio').currentTime >= 14")
