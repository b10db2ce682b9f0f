"""What people change in many places, tick off and take back, on the page of a recording."""

from __future__ import annotations

from typing import Any

from tests.server import Server
from tests.web.test_editing import meeting, path_of
from tests.web.test_pages import browser, page, pytestmark

__all__ = ["browser", "meeting", "page", "pytestmark"]


def wait_for_text(page: Any, selector: str, condition: str) -> None:
    page.wait_for_function(
        f"() => (text => {condition})(document.querySelector('{selector}').textContent)"
    )


def test_misheard_word_is_replaced_everywhere_but_where_left_out_and_taken_back(
    page: Any, server: Server, meeting: str
) -> None:
    before = server.get(f"{path_of(meeting)}/words")
    places = [n for n, word in enumerate(before) if word["text"].strip(" ,.?!").lower() == "the"]
    assert len(places) > 1
    page.click("#replace-open")
    page.fill("#replace-find", "the")
    page.fill("#replace-with", "zebra")
    wait_for_text(page, "#replace-ok", f"text === 'Replace {len(places)}'")
    page.locator("#replace-list input").nth(1).uncheck()
    page.click("#replace-ok")
    page.wait_for_function("() => !document.querySelector('#replace').open")
    wait_for_text(page, "#words-text", "text.includes('zebra')")
    after = [word["text"] for word in server.get(f"{path_of(meeting)}/words")]
    assert [n for n, text in enumerate(after) if "zebra" in text] == [places[0], *places[2:]]

    page.click("#history-open")
    page.wait_for_selector("#history-list ins >> text=zebra")
    page.click("#history-list button")
    page.wait_for_function("() => document.querySelectorAll('#history-list li').length === 2")
    page.click("#history [data-close]")
    wait_for_text(page, "#words-text", "!text.includes('zebra')")
    assert server.get(f"{path_of(meeting)}/words") == before


def test_places_that_somebody_changed_meanwhile_are_not_replaced(
    page: Any, server: Server, meeting: str
) -> None:
    page.click("#replace-open")
    page.fill("#replace-find", "hello")
    page.fill("#replace-with", "zebra")
    first = server.get(f"{path_of(meeting)}/words")[0]
    span = {"timestamp_from": first["start"], "timestamp_to": first["start"]}
    body = {**span, "before": first["text"], "text": "Theirs"}
    server.http.patch(f"{path_of(meeting)}/words", json=body)
    page.click("#replace-ok")
    page.wait_for_selector("#replace [data-problem]:not([hidden])")
    assert "Theirs" in page.inner_text("#replace [data-problem]")
    assert page.input_value("#replace-with") == "zebra"


def test_undo_of_what_was_changed_again_says_what_to_do(
    page: Any, server: Server, meeting: str
) -> None:
    for title in ("First", "Second"):
        server.http.patch(path_of(meeting), json={"title": title})
    page.click("#history-open")
    page.locator("#history-list button").nth(1).click()
    page.wait_for_selector("#history [data-problem]:not([hidden])")
    assert "Undo the later change first" in page.inner_text("#history [data-problem]")
    assert server.get(path_of(meeting))["title"] == "Second"


def test_next_step_is_added_ticked_off_and_removed(page: Any, server: Server, meeting: str) -> None:
    page.click("text=Add a next step")
    page.fill("#action-text", "Call <b>Ben</b>")
    page.fill("#action-who", "Anna")
    page.fill("#action-deadline", "Friday")
    page.click("#action button[value=ok]")
    item = page.locator("#actions-text li", has_text="Call <b>Ben</b>")
    item.wait_for()
    assert "Anna, Friday" in item.inner_text()
    item.locator("input").check()
    page.wait_for_selector("#actions-text .done")
    steps = server.get(f"{path_of(meeting)}/run")["action_items"]["next_steps"]
    assert [(step["task"], step["done"]) for step in steps][-1] == ("Call <b>Ben</b>", True)
    item.locator(".edit").click()
    page.click("#action-remove")
    item.wait_for(state="detached")


def test_two_people_change_different_next_steps_and_both_stay(
    page: Any, server: Server, meeting: str
) -> None:
    items = {"next_steps": [{"task": "one"}, {"task": "two"}]}
    server.http.patch(path_of(meeting), json={"action_items": items})
    page.wait_for_selector("#actions-text li >> text=two")
    page.locator("#actions-text li", has_text="two").locator(".edit").click()
    items["next_steps"] = [{"task": "one", "context": "ticked off"}, {"task": "two"}]
    server.http.patch(path_of(meeting), json={"action_items": items})
    page.fill("#action-text", "two and a half")
    page.click("#action button[value=ok]")
    page.wait_for_selector("#actions-text li >> text=two and a half")
    steps = server.get(f"{path_of(meeting)}/run")["action_items"]["next_steps"]
    assert [(s["task"], s["context"]) for s in steps] == [
        ("one", "ticked off"),
        ("two and a half", None),
    ]


def test_next_step_that_somebody_else_changed_is_not_overwritten(
    page: Any, server: Server, meeting: str
) -> None:
    for task in ("ours", "theirs"):
        if task == "theirs":
            page.wait_for_selector("#actions-text li >> text=ours")
            page.locator("#actions-text li", has_text="ours").locator(".edit").click()
        items = {"next_steps": [{"task": task}]}
        server.http.patch(path_of(meeting), json={"action_items": items})
    page.fill("#action-text", "ours, changed")
    page.click("#action button[value=ok]")
    page.wait_for_selector("#action [data-problem]:not([hidden])")
    steps = server.get(f"{path_of(meeting)}/run")["action_items"]["next_steps"]
    assert [step["task"] for step in steps] == ["theirs"]
