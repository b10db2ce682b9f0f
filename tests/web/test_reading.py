"""A meeting as it is read: with the keyboard, without a script, on paper, with other rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.server import Server
from tests.waiting import wait_until
from tests.web.test_pages import NARROW, WIDE, browser, new_page, open_sample, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]
LOW = {"width": 340, "height": 225}  # 1360 × 900 at a zoom of 400 %


def playing(page: Any) -> bool:
    return bool(page.evaluate("!document.querySelector('audio').paused"))


def open_with_sound(page: Any, sample_id: str) -> None:
    """Open the sample, and wait until the player knows how long it is."""
    open_sample(page, sample_id)
    page.wait_for_function("() => document.querySelector('audio').duration > 100")


@pytest.fixture
def plain_page(browser: Any, server: Server) -> Iterator[Any]:
    """A browser that runs no scripts."""
    context = browser.new_context(viewport=WIDE, base_url=server.url, java_script_enabled=False)
    yield new_page(context)
    context.close()


def test_text_is_there_without_a_script(plain_page: Any, sample_id: str) -> None:
    plain_page.goto(f"/transcripts/{sample_id}")
    assert "Good morning everyone" in plain_page.inner_text("#words-text")
    assert plain_page.inner_text("#status") == "Ready"
    summary = plain_page.inner_text("#summary-text")
    assert summary
    assert "**" not in summary
    assert "#" not in summary


def test_language_that_is_to_be_detected_is_no_language_of_the_text(server: Server) -> None:
    body = {"name": "x", "source_language": "auto"}
    made = server.http.post("/v1/transcripts", json=body).json()
    assert 'lang="auto"' not in server.http.get(f"/transcripts/{made['id']}").text


def test_browser_that_remembers_nothing_shows_everything(page: Any, sample_id: str) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })"
    )
    open_sample(page, sample_id)
    page.select_option("#speed", "2")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 2


def test_text_is_fetched_once_and_again_only_when_somebody_changed_it(
    page: Any, server: Server, sample_id: str
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path.rpartition("/")[2]))
    open_sample(page, sample_id)
    # Once for the page, and once more when the connection for events has opened: what was missed?
    wait_until(lambda: page.evaluate("1") and asked.count("run") >= 2, "the page looks again")
    assert asked.count("words") == 1
    path = f"/v1/transcripts/{sample_id}"
    server.http.patch(path, json={"reviewed": True})
    page.wait_for_selector("#checked:not([hidden])")
    server.http.patch(path, json={"reviewed": False})
    page.wait_for_selector("#checked", state="hidden")
    assert asked.count("words") <= 3


def test_space_plays_and_does_not_scroll(page: Any, sample_id: str) -> None:
    open_with_sound(page, sample_id)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('audio').paused")
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('audio').paused")


def test_slider_knows_the_arrows_up_and_down(page: Any, sample_id: str) -> None:
    open_with_sound(page, sample_id)
    page.focus("#waveform")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('audio').currentTime === 5")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('audio').currentTime === 0")


def test_selecting_words_does_not_start_the_sound(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.locator(".word").nth(20).dblclick()
    # The time after which a single click would have been taken for one
    page.wait_for_timeout(600)
    assert page.evaluate("getSelection().toString()").strip()
    assert not playing(page)


def test_speed_is_remembered(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.select_option("#speed", "1.5")
    open_sample(page, sample_id)
    page.wait_for_selector(".word")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 1.5


def test_page_follows_the_voice(page: Any, sample_id: str) -> None:
    open_with_sound(page, sample_id)
    page.evaluate("const a = document.querySelector('audio'); a.currentTime = 110; a.play()")
    page.wait_for_function(
        "() => { const word = document.querySelector('.word.now');"
        " return scrollY > 200 && word && word.getBoundingClientRect().top < innerHeight; }"
    )


def test_topic_is_seen_after_a_click_on_its_name(page: Any, sample_id: str) -> None:
    """It came to lie under the player."""
    open_sample(page, sample_id)
    link = page.locator("#topics-list a").last
    link.click()
    heading = page.locator(link.get_attribute("href"))
    page.wait_for_function(
        "heading => { const box = heading.getBoundingClientRect();"
        " return box.top >= 0 && document.elementFromPoint(box.x + 5, box.y + 15) === heading; }",
        arg=heading.element_handle(),
    )


def test_phone_begins_with_the_transcript(page: Any, sample_id: str) -> None:
    page.set_viewport_size(NARROW)
    open_sample(page, sample_id)
    first = page.locator(".turn").first.bounding_box()
    assert first
    assert first["y"] < NARROW["height"]
    player = page.locator("#player").bounding_box()
    assert player
    assert player["height"] < NARROW["height"] / 3
    page.click("[data-show=side]")
    assert page.is_visible("#summary")
    assert page.is_hidden("#words")


def test_large_zoom_leaves_room_for_the_text(page: Any, sample_id: str) -> None:
    page.set_viewport_size(LOW)
    open_sample(page, sample_id)
    page.locator(".turn").nth(3).scroll_into_view_if_needed()
    assert page.evaluate("getComputedStyle(document.querySelector('#player')).position") == "static"
    assert page.evaluate("document.documentElement.scrollWidth") <= LOW["width"]


def test_paper_has_the_text_alone(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.emulate_media(media="print")
    for hidden in (".top", ".bottom", "#player", ".manage", ".downloads"):
        assert page.is_hidden(hidden), hidden
    assert page.is_visible("#words-text")
    assert page.is_visible("#summary-text")


CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const numbers = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const card = getComputedStyle(document.querySelector(".card.words")).backgroundColor;
  const who = document.querySelector(".turn .who button");
  return Array.from({ length: 12 }, (_, number) => {
    who.closest(".turn").className = `turn speaker-${number}`;
    const pair = [light(numbers(getComputedStyle(who).color)), light(numbers(card))].sort((a, b) => b - a);
    return (pair[0] + .05) / (pair[1] + .05);
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_twelve_speakers_can_be_read(page: Any, sample_id: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    open_sample(page, sample_id)
    page.wait_for_selector(".turn .who button")
    assert min(page.evaluate(CONTRAST)) >= 4.5


def test_words_that_the_recogniser_was_unsure_of_are_shown(page: Any, sample_id: str) -> None:
    def doubtful(route: Any) -> None:
        words = route.fetch().json()
        words[1]["probability"] = 0.31
        route.fulfill(json=words)

    page.route(f"**/v1/transcripts/{sample_id}/words", doubtful)
    open_sample(page, sample_id)
    page.wait_for_selector("#unsure-label:not([hidden])")
    line = "() => getComputedStyle(document.querySelectorAll('.word')[1]).textDecorationLine"
    assert page.evaluate(line) == "none"
    page.check("#unsure")
    assert page.evaluate(line) == "underline"
    assert page.locator(".word").nth(1).get_attribute("title").startswith("The recogniser is 31 %")
    page.reload()
    page.wait_for_selector(".word.unsure")
    assert page.is_checked("#unsure")
    page.unroute(f"**/v1/transcripts/{sample_id}/words")
