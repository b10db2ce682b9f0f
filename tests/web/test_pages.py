"""The pages in a real browser (Debian's chromium), wide and narrow, with mouse and keyboard."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import HELD_OUT
from tests.doubles.language_server import GOOD, language_server
from tests.pipeline.test_translation import TARGET, add_model, backwards
from tests.server import Server, running_server
from tests.waiting import wait_until
from tests.web.browsing import launched

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
# Without these Chromium looks up its maker's hosts at every start
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 90_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with (
        playwright.sync_playwright() as driver,
        launched(driver.chromium, executable_path=CHROMIUM, args=QUIET) as started,
    ):
        yield started


def new_page(owner: Any) -> Any:
    """Of a browser or one of its contexts, with the patience that a busy machine needs."""
    opened = owner.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    return opened


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A page that fails the test on any script error or request to another host."""
    context = browser.new_context(viewport=WIDE, base_url=server.url, accept_downloads=True)
    opened = new_page(context)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error.stack)))
    opened.on(
        "request", lambda request: problems.append(request.url) if is_foreign(request.url) else None
    )
    yield opened
    context.close()
    assert problems == []


def is_foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "blob:", "data:"))


def fresh(folder: Path) -> str:
    """The held-out recording as one that no server has yet: with an ID3v2 header of another length."""
    padding = secrets.randbelow(100_000)
    size = bytes(padding >> shift & 0x7F for shift in (21, 14, 7, 0))
    path = folder / f"{padding}.flac"
    path.write_bytes(b"ID3\x03\x00\x00" + size + bytes(padding) + HELD_OUT.read_bytes())
    return str(path)


def open_sample(page: Any, sample_id: str) -> None:
    page.goto(f"/transcripts/{sample_id}")
    page.wait_for_selector(".turn")
    page.wait_for_selector("#player:not([hidden])")


def test_uploaded_file_becomes_a_transcript_before_the_eyes(page: Any, tmp_path: Path) -> None:
    page.goto("/")
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".step")
    page.wait_for_selector(".badge.ended")
    page.wait_for_selector(".topic-title")
    assert "Hello everyone" in page.inner_text("#words-text")
    assert page.inner_text("#summary-text")
    assert page.is_hidden("#steps")


def test_word_that_is_clicked_is_heard(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    word = page.locator(".word").nth(100)
    start = float(word.get_attribute("data-start"))
    word.click()
    page.wait_for_function(
        "start => { const a = document.querySelector('audio');"
        " return !a.paused && a.currentTime >= start && a.currentTime < start + 5; }",
        arg=start,
    )
    page.wait_for_selector(".word.now")


def test_keyboard_alone_plays_and_seeks(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.wait_for_function("() => document.querySelector('audio').duration > 100")
    page.focus("#waveform")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('audio').currentTime > 100")
    assert int(page.get_attribute("#waveform", "aria-valuemax")) > 100
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('audio').currentTime === 0")
    page.locator(".turn .who [aria-label^='Play from']").nth(2).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('audio').paused")


def test_speaker_gets_a_name_everywhere(page: Any, server: Server) -> None:
    transcript_id = server.upload(HELD_OUT)
    server.wait_for_status(transcript_id, "ended")
    open_sample(page, transcript_id)
    page.locator(".turn .who button").first.click()
    page.fill("#rename-name", "Anna <b>")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('.turn .who button').textContent === 'Anna <b>'"
    )
    text = server.get(f"/v1/transcripts/{transcript_id}")["transcript"]
    assert text.startswith("Anna <b>: Hello everyone")


def test_download_is_the_transcript(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    page.click("#download summary")
    with page.expect_download() as waiting:
        page.click("a[href$='/export/vtt']")
    assert Path(waiting.value.path()).read_text().startswith("WEBVTT")


def test_deleting_asks_first(page: Any, server: Server) -> None:
    transcript_id = server.create()
    page.goto(f"/transcripts/{transcript_id}")
    page.click("#delete")
    page.keyboard.press("Escape")
    assert server.get(f"/v1/transcripts/{transcript_id}")["status"] == "idle"
    page.click("#delete")
    page.click("#confirm button[value=ok]")
    page.wait_for_url(re.compile(r"/$"))
    assert server.http.get(f"/v1/transcripts/{transcript_id}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/transcripts/{id}"])
def test_phone_shows_everything_without_scrolling_sideways(
    page: Any, sample_id: str, path: str
) -> None:
    page.set_viewport_size(NARROW)
    page.goto(path.format(id=sample_id))
    page.wait_for_selector(".list li, .turn")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_documentation_of_the_api_works_without_a_network(page: Any) -> None:
    page.goto("/docs")
    page.wait_for_selector(".opblock")


def test_missing_parts_say_why_and_a_button_tries_them_again(browser: Any, tmp_path: Path) -> None:
    with (
        language_server() as llm,
        running_server(tmp_path, LLM_URL=llm.url, LLM_PARSE_MAX_RETRIES="0") as server,
    ):
        llm.answer = lambda name, request: 401 if name == "SummaryAnswer" else GOOD[name]
        transcript_id = server.upload(HELD_OUT)
        server.wait_for_status(transcript_id, "ended")
        llm.answer = lambda name, request: GOOD[name]
        context = browser.new_context(viewport=WIDE)
        page = new_page(context)
        page.goto(f"{server.url}/transcripts/{transcript_id}")
        page.wait_for_selector("#retry")
        assert "LLM_API_KEY" in page.inner_text("#steps")
        # A button that is drawn anew while it is pressed loses the click
        page.evaluate("document.querySelector('#retry').dataset.same = 'yes'")
        server.http.patch(f"/v1/transcripts/{transcript_id}", json={"title": "Another"})
        page.wait_for_function("() => document.title.startsWith('Another')")
        assert page.is_visible("#retry[data-same]")
        page.click("#retry")
        page.wait_for_function(
            "() => document.querySelector('#summary-text').textContent.includes('The team planned')"
        )
        page.wait_for_selector("#steps[hidden]", state="attached")
        assert page.is_hidden("[data-mark=summary]")
        context.close()


def test_translation_is_chosen_before_the_upload_and_shown(browser: Any, tmp_path: Path) -> None:
    add_model(tmp_path)
    environment = {"TRANSLATION_BACKEND": "ctranslate2", "SPEECH_COMPUTE_TYPE": "float32"}
    with running_server(tmp_path, 0, **environment) as server:
        page = new_page(browser)
        page.goto(server.url)
        page.select_option("#language", "en")
        page.select_option("#target-language", TARGET)
        page.set_input_files("#file", str(HELD_OUT))
        page.wait_for_selector("#translation-text p", state="visible")
        assert backwards("Hello") in page.inner_text("#translation-text")
        assert page.get_attribute("#translation-text", "lang") == TARGET


def test_missing_model_is_said_on_the_page(browser: Any, tmp_path: Path) -> None:
    with running_server(tmp_path, WHISPER_MODEL="small", DIARIZATION_ENABLED="false") as server:
        context = browser.new_context(viewport=WIDE)
        page = new_page(context)

        def is_said() -> bool:
            page.goto(server.url)
            return bool(page.locator("main > .notice").count())

        wait_until(is_said, "the page says it")
        assert "small is not on this machine" in page.inner_text("main > .notice")
        context.close()
