"""What people change on the page of a recording: the summary, who said what, that it was checked; and what they copy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import HELD_OUT
from tests.server import Server
from tests.web.test_pages import browser, open_sample, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]

NAMES = "() => [...document.querySelectorAll('.turn .who button.link:first-child')].map(b => b.textContent)"


@pytest.fixture
def meeting(page: Any, server: Server) -> str:
    """The id of a meeting of two speakers, open in `page`."""
    transcript_id = server.upload(HELD_OUT)
    server.wait_for_status(transcript_id, "ended")
    open_sample(page, transcript_id)
    return transcript_id


def path_of(meeting: str) -> str:
    return f"/v1/transcripts/{meeting}"


def name_turn(page: Any, number: int, name: str, where: str = "all") -> None:
    page.locator(".turn .who button.link:first-child").nth(number).click()
    page.fill("#rename-name", name)
    page.check(f"[name=scope][value={where}]")
    page.click("#rename button[value=ok]")
    page.wait_for_function("() => !document.querySelector('#rename').open")


def wait_for_names(page: Any, condition: str) -> list[str]:
    page.wait_for_function(f"() => (({NAMES})()).{condition}")
    names: list[str] = page.evaluate(NAMES)
    return names


def select_words(page: Any, first: int, last: int) -> None:
    page.evaluate(
        """([first, last]) => {
            const words = document.querySelectorAll("#words-text .word");
            getSelection().setBaseAndExtent(words[first].firstChild, 1, words[last].firstChild, 1);
        }""",
        [first, last],
    )


def test_summary_is_edited_and_a_foreign_change_is_not_overwritten(
    page: Any, server: Server, meeting: str
) -> None:
    page.click("#summary-edit")
    server.http.patch(path_of(meeting), json={"long_summary": "Theirs."})
    page.fill("#summary-input", "# Ours\n\n- one\n- two")
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector("#summary-dialog [data-problem]:not([hidden])")
    assert "Theirs." in page.inner_text("#summary-dialog [data-problem]")
    assert server.get(path_of(meeting))["long_summary"] == "Theirs."
    page.click("#summary-dialog button[value=ok]")
    page.wait_for_selector("#summary-text li")
    assert server.get(path_of(meeting))["long_summary"] == "# Ours\n\n- one\n- two"


def test_change_elsewhere_does_not_stop_an_edit(page: Any, server: Server, meeting: str) -> None:
    page.click("#summary-edit")
    server.http.patch(path_of(meeting), json={"title": "Another title"})
    page.fill("#summary-input", "Ours.")
    page.click("#summary-dialog button[value=ok]")
    page.wait_for_function("() => document.querySelector('#summary-text').textContent === 'Ours.'")
    assert server.get(path_of(meeting))["title"] == "Another title"


def test_only_this_turn_gets_another_speaker(page: Any, meeting: str) -> None:
    before = wait_for_names(page, "length > 2")
    name_turn(page, 1, "Carla", "turn")
    after = wait_for_names(page, "includes('Carla')")
    assert after.count("Carla") == 1
    assert after[0] == before[0]


def test_two_speakers_that_are_one_person_become_one(page: Any, meeting: str) -> None:
    names = wait_for_names(page, "length > 2")
    other = next(number for number, name in enumerate(names) if name != names[0])
    name_turn(page, 0, "Anna")
    wait_for_names(page, "includes('Anna')")
    page.locator(".turn .who button.link:first-child").nth(other).click()
    page.fill("#rename-name", "anna")
    assert "both become one" in page.inner_text("#rename-hint")
    page.click("#rename button[value=ok]")
    assert set(wait_for_names(page, "every(n => n === 'Anna')")) == {"Anna"}


def test_names_of_other_meetings_are_suggested(page: Any, server: Server, meeting: str) -> None:
    other = server.create(name="another meeting")
    server.http.post(f"/v1/transcripts/{other}/participants", json={"name": "Grace Hopper"})
    page.locator(".turn .who button.link:first-child").first.click()
    page.wait_for_selector("#people option[value='Grace Hopper']", state="attached")


def test_recording_is_processed_again_in_another_language(
    page: Any, server: Server, meeting: str
) -> None:
    page.click("#process")
    page.select_option("#process-language", "de")
    page.click("#process-keep")
    page.wait_for_function("() => !document.querySelector('#process-again').open")
    server.wait_for_status(meeting, "ended")
    assert server.get(path_of(meeting))["source_language"] == "de"
    assert server.get(f"{path_of(meeting)}/run")["run"] == 2
    page.wait_for_selector("#process:not([hidden])")
    page.click("#process")
    page.select_option("#process-language", "en")
    page.click("#process-keep")
    page.wait_for_function("() => !document.querySelector('#process-again').open")
    assert server.get(path_of(meeting))["source_language"] == "en"


def test_name_is_taken_away_again(page: Any, meeting: str) -> None:
    name_turn(page, 0, "Wrong")
    wait_for_names(page, "includes('Wrong')")
    page.locator(".turn .who button.link:first-child").first.click()
    page.click("#rename-remove")
    wait_for_names(page, "every(n => n !== 'Wrong')")


def test_selected_words_are_given_to_somebody(page: Any, server: Server, meeting: str) -> None:
    words = server.get(f"{path_of(meeting)}/words")
    select_words(page, 2, 4)
    page.wait_for_selector("#selection:not([hidden])")
    assert page.inner_text("#selection-count") == "3 words"
    page.click("#selection-assign")
    assert page.is_hidden("#scope")
    page.fill("#rename-name", "Carla")
    page.click("#rename button[value=ok]")
    wait_for_names(page, "includes('Carla')")
    [carla] = [p for p in server.get(f"{path_of(meeting)}/participants") if p["name"] == "Carla"]
    after = server.get(f"{path_of(meeting)}/words")
    changed = [n for n, (old, new) in enumerate(zip(words, after, strict=True)) if old != new]
    assert changed == [2, 3, 4]
    assert {after[n]["speaker"] for n in changed} == {carla["speaker"]}


def open_correction(page: Any, turn: int) -> Any:
    box = page.locator(".turn").nth(turn)
    box.hover()
    box.locator(".edit").click()
    return box.locator("textarea")


def test_misheard_words_are_corrected_and_can_be_heard_where_they_were(
    page: Any, server: Server, meeting: str
) -> None:
    words = server.get(f"{path_of(meeting)}/words")
    field = open_correction(page, 0)
    said = field.input_value()
    field.fill(said.replace("Hello everyone", "Hello to everyone here"))
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('.turn p').textContent.startsWith('Hello to everyone here')"
    )
    after = server.get(f"{path_of(meeting)}/words")
    assert len(after) == len(words) + 2
    assert after[4:] == words[2:]
    started = page.locator(".turn .word").nth(1).get_attribute("data-start")
    assert float(started) == words[0]["start"]


def test_correction_that_somebody_else_made_first_is_shown(
    page: Any, server: Server, meeting: str
) -> None:
    words = server.get(f"{path_of(meeting)}/words")
    field = open_correction(page, 0)
    change = {
        "timestamp_from": words[0]["start"],
        "timestamp_to": words[0]["start"],
        "before": words[0]["text"],
        "text": "Theirs",
    }
    server.http.patch(f"{path_of(meeting)}/words", json=change).raise_for_status()
    field.fill("Ours")
    page.keyboard.press("Enter")
    page.wait_for_selector(".correct .notice:not([hidden])")
    assert "“Theirs" in page.inner_text(".correct .notice")
    assert field.input_value() == "Ours"
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.turn p').textContent.trim() === 'Ours'")


def test_correction_that_is_left_changes_nothing(page: Any, server: Server, meeting: str) -> None:
    words = server.get(f"{path_of(meeting)}/words")
    open_correction(page, 1).fill("something else")
    server.http.patch(path_of(meeting), json={"title": "Changed meanwhile"})
    page.wait_for_function("() => document.title.startsWith('Changed meanwhile')")
    assert page.input_value(".correct textarea") == "something else"
    page.keyboard.press("Escape")
    page.wait_for_selector(".correct", state="detached")
    page.wait_for_function("() => document.activeElement.matches('.turn .edit')")
    assert "something else" not in page.inner_text("#words-text")
    assert server.get(f"{path_of(meeting)}/words") == words


def test_text_that_was_checked_says_so(page: Any, server: Server, meeting: str) -> None:
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.check("#reviewed")
    page.wait_for_selector("#checked:not([hidden])")
    assert server.get(path_of(meeting))["reviewed"] is True


def wait_for_copy(page: Any, beginning: str) -> None:
    page.wait_for_function(
        "start => new RegExp(`^${start}`).test(document.querySelector('#copy-text').value)",
        arg=beginning,
    )


def test_text_is_copied_in_each_format(page: Any, sample_id: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_sample(page, sample_id)
    page.click("#copy-open")
    for format, beginning in [
        ("md", "# "),
        ("vtt", "WEBVTT"),
        ("json", r"\{"),
        ("txt", r"\[00:00\] "),
    ]:
        page.select_option("#copy-format", format)
        wait_for_copy(page, beginning)
    page.uncheck("#copy-times")
    wait_for_copy(page, r"[^\[:]+: \w")
    page.uncheck("#copy-names")
    wait_for_copy(page, r"(?![^\n]*: )\w")
    with page.expect_download() as started:
        page.click("#copy-download")
    assert started.value.path().read_text() == page.input_value("#copy-text")
    page.click("#copy button[value=ok]")
    page.wait_for_function("() => document.querySelector('#copy-said').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#copy-text")


def test_link_can_be_copied_where_there_is_no_clipboard(page: Any, sample_id: str) -> None:
    """Browsers give none to pages without TLS."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    open_sample(page, sample_id)
    page.click("#copy-link")
    page.click("#copy button[value=ok]")
    assert "press Ctrl+C" in page.inner_text("#copy-said")
    length = page.evaluate("document.querySelector('#copy-text').selectionEnd")
    assert length == len(page.url)
    assert page.input_value("#copy-text") == page.url
