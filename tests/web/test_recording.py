"""The record button: what is said is kept each second, and becomes text whatever happens to the page."""

from __future__ import annotations

import os
import signal
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import HELD_OUT
from tests.server import Server
from tests.waiting import wait_until
from tests.web.browsing import launched
from tests.web.test_accounts import log_in
from tests.web.test_accounts import server as with_accounts
from tests.web.test_pages import CHROMIUM, QUIET, new_page, playwright, pytestmark

__all__ = ["pytestmark", "with_accounts"]

TONE = 440


def as_wave(path: Path) -> Path:
    """The recording as the WAV file that Chromium takes for a microphone."""
    with av.open(str(HELD_OUT)) as source, wave.open(str(path), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(16_000)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                target.writeframes(part.to_ndarray().tobytes())
    return path


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser whose microphone hears the recording, and which shares the tab "Playing"."""
    sound = as_wave(tmp_path_factory.mktemp("microphone") / "speech.wav")
    microphone = [
        "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={sound}",
        "--auto-select-tab-capture-source-by-title=Playing",
    ]  # fmt: skip
    with (
        playwright.sync_playwright() as driver,
        launched(
            driver.chromium, executable_path=CHROMIUM, args=[*QUIET, *microphone],
            ignore_default_args=["--mute-audio"],  # a tab that is muted shares silence
        ) as started,
    ):  # fmt: skip
        yield started


@pytest.fixture
def page(speaking: Any, server: Server) -> Iterator[Any]:
    context = speaking.new_context(base_url=server.url, permissions=["microphone"])
    opened = new_page(context)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    assert problems == []


def begin(page: Any, seconds: int) -> None:
    """Record until so many seconds are saved."""
    page.click("#record")
    page.click("#recorder-start")
    page.wait_for_selector("#recorder-running:not([hidden])")
    saved_up_to(page, seconds)


def crash(page: Any) -> None:
    """End the page as a crash does.

    A page that is closed may still be told that its microphone is gone, which ends the recording.
    """
    with page.expect_event("crash"):
        session = page.context.browser.new_browser_cdp_session()
        for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
            if process["type"] == "renderer":
                os.kill(process["id"], signal.SIGKILL)
    page.close()


def saved_up_to(page: Any, seconds: int) -> None:
    page.wait_for_function(
        r"""seconds => {
            const time = document.querySelector("#recorder-saved").textContent.match(/\d+:(\d+)/);
            return time && Number(time[1]) >= seconds;
        }""",
        arg=seconds,
    )


def newest(server: Server) -> Any:
    return server.get("/v1/transcripts", size=1)["items"][0]


def count(server: Server) -> int:
    total: int = server.get("/v1/transcripts", size=1)["total"]
    return total


def test_what_is_said_becomes_text(page: Any, server: Server) -> None:
    before = count(server)
    begin(page, 6)
    assert float(page.evaluate("document.querySelector('#recorder-level').value")) > 0
    page.click("#recorder-stop")
    page.wait_for_url("**/transcripts/*")
    assert count(server) == before + 1
    made = newest(server)
    assert made["name"].startswith("Recording of ")
    server.wait_for_status(made["id"], "ended")
    assert newest(server)["duration"] > 5000
    assert server.get(f"/v1/transcripts/{made['id']}/words")


def test_pause_is_not_recorded(page: Any, server: Server) -> None:
    before = count(server)
    begin(page, 2)
    page.click("#recorder-pause")
    paused = page.inner_text("#recorder-time")
    page.wait_for_function(
        "begun => performance.now() - begun > 4000", arg=page.evaluate("performance.now()")
    )
    assert page.inner_text("#recorder-time") == paused
    page.click("#recorder-pause")
    saved_up_to(page, 4)
    page.click("#recorder-stop")
    page.wait_for_url("**/transcripts/*")
    assert count(server) == before + 1
    made = newest(server)
    server.wait_for_status(made["id"], "ended")
    assert 3000 < newest(server)["duration"] < 9000


def without_sockets(page: Any) -> None:
    """As behind a proxy that lets no WebSocket pass."""
    page.add_init_script(
        """const Real = WebSocket;
        window.WebSocket = function () {
            return new Real("ws://127.0.0.1:9/");
        };
        window.WebSocket.OPEN = Real.OPEN;"""
    )
    page.reload()


def ended(server: Server, page: Any, before: int) -> Any:
    """The recording that was made since there were `before`, once it has its text."""

    def made() -> Any:
        page.wait_for_timeout(200)
        listed = server.get("/v1/transcripts")
        new = listed["items"][: listed["total"] - before]
        return next((each for each in new if each["status"] == "ended"), None)

    return wait_until(made, "the recording being there")


def test_words_appear_while_they_are_spoken(page: Any, server: Server) -> None:
    before = count(server)
    begin(page, 3)
    page.wait_for_function("() => document.querySelectorAll('#recorder-text p').length > 2")
    made = newest(server)
    assert (count(server), made["status"], made["source_kind"]) == (before + 1, "recording", "live")
    viewer = new_page(page.context)
    viewer.goto(f"/transcripts/{made['id']}")
    viewer.wait_for_selector("#live:not([hidden]) p:has-text('0:0')")
    captions = new_page(page.context)
    captions.goto(f"/live/{made['id']}")
    captions.wait_for_selector("#captions-text p:nth-child(2)")
    size = "getComputedStyle(document.querySelector('#captions-text')).fontSize"
    usual = captions.evaluate(size)
    captions.click("[data-resize='1']")
    assert captions.evaluate(size) != usual
    page.click("#recorder-stop")
    page.wait_for_url(f"**/transcripts/{made['id']}")
    # The final text takes the live one's place on a page that is open
    viewer.wait_for_selector("#words:not([hidden]) .word")
    assert viewer.is_hidden("#live")
    captions.wait_for_selector("#captions-status:has-text('has ended')")
    server.wait_for_status(made["id"], "ended")
    assert count(server) == before + 1


def test_recording_of_a_closed_tab_goes_on_in_the_same_transcript(
    page: Any, server: Server
) -> None:
    before = count(server)
    begin(page, 4)
    crash(page)
    other = new_page(page.context)
    other.goto("/")
    other.wait_for_selector("#interrupted .upload:has-text('Saved up to 0:0')")
    other.click("#interrupted button:text-is('Go on')")
    other.wait_for_selector("#recorder-running:not([hidden])")
    saved_up_to(other, 3)
    other.click("#recorder-stop")
    other.wait_for_url("**/transcripts/*")
    made = ended(server, other, before)
    assert count(server) == before + 1
    assert made["duration"] > 6000
    other.goto("/")
    other.wait_for_selector(".list li")
    assert other.locator("#interrupted .upload").count() == 0


def test_recording_of_a_closed_tab_can_be_ended(page: Any, server: Server) -> None:
    before = count(server)
    begin(page, 4)
    crash(page)
    other = new_page(page.context)
    other.goto("/")
    other.click("#interrupted button:text-is('Turn it into text')")
    made = ended(server, other, before)
    assert count(server) == before + 1
    assert made["duration"] > 3000


def test_network_that_fails_while_recording_delays_and_loses_nothing(
    page: Any, server: Server
) -> None:
    """The server is away when Stop is pressed, and the page is left before all was sent."""
    before = count(server)
    is_away = False
    connections: list[Any] = []

    def connect(socket: Any) -> None:
        if is_away:
            socket.close()
        else:
            socket.connect_to_server()
            connections.append(socket)

    page.context.route_web_socket("**/record/stream*", connect)
    begin(page, 3)
    is_away = True
    for socket in connections:
        socket.close()
    page.wait_for_selector("#recorder-saved:has-text('Kept in this browser up to 0:0')")
    page.wait_for_function(
        "begun => performance.now() - begun > 2000", arg=page.evaluate("performance.now()")
    )
    page.click("#recorder-stop")
    page.wait_for_selector("#recorder-problem:has-text('is being sent')")
    page.close()
    is_away = False
    other = new_page(page.context)
    other.goto("/")
    made = ended(server, other, before)
    assert count(server) == before + 1
    assert made["duration"] > 4500


def test_recording_is_uploaded_where_nothing_lets_it_be_streamed(page: Any, server: Server) -> None:
    without_sockets(page)
    before = count(server)
    begin(page, 3)
    page.click("#recorder-stop")
    made = ended(server, page, before)
    assert made["source_kind"] == "file"
    assert made["duration"] > 2000


def test_microphone_that_is_refused_says_what_to_do(page: Any) -> None:
    page.evaluate(
        """() => {
            navigator.mediaDevices.getUserMedia = () =>
                Promise.reject(new DOMException("no", "NotAllowedError"));
        }"""
    )
    page.click("#record")
    page.click("#recorder-start")
    page.wait_for_selector("#recorder-problem:has-text('Allow it in the address bar')")
    page.wait_for_selector("#recorder-choice:not([hidden])")


def test_microphone_that_is_taken_away_keeps_what_was_said(page: Any, server: Server) -> None:
    before = count(server)
    page.evaluate(
        """() => {
            const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = async (wanted) => (window.taken = await ask(wanted));
        }"""
    )
    begin(page, 3)
    page.evaluate(
        """() => {
            const [track] = window.taken.getAudioTracks();
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    page.wait_for_selector("#recorder-problem:has-text('was taken away')")
    made = ended(server, page, before)
    page.wait_for_selector(f".list a[href$='{made['id']}']")
    assert "was taken away" in page.inner_text("#recorder-problem")


def test_sound_of_a_tab_is_a_track_beside_the_microphone(page: Any, server: Server) -> None:
    before = count(server)
    playing = page.context.new_page()
    playing.goto("/login")
    playing.evaluate("document.title = 'Playing'")
    page.bring_to_front()
    page.click("#record")
    page.check("#recorder-shared")
    page.click("#recorder-start")
    page.wait_for_selector("#recorder-running:not([hidden])")
    page.wait_for_selector("#recorder-problem:has-text('of the shared sound yet')")
    playing.evaluate(
        """tone => {
            const context = new AudioContext();
            const source = new OscillatorNode(context, { frequency: tone });
            source.connect(context.destination);
            source.start();
        }""",
        TONE,
    )
    page.wait_for_selector("#recorder-problem", state="hidden")
    begun = seconds(page)
    saved_up_to(page, begun + 4)
    playing.close()
    page.wait_for_selector("#recorder-problem:has-text('was taken away')")
    saved_up_to(page, seconds(page) + 2)  # the microphone goes on
    page.click("#recorder-stop")
    made = ended(server, page, before)
    (recording,) = server.data.glob(f"**/{made['id']}/live.ogg")
    with av.open(str(recording)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    first = (begun + 1) * 48_000
    microphone, shared = np.concatenate(frames, axis=1)[:, first : first + 2 * 48_000]
    assert strength(shared) > 20 * strength(microphone)
    assert microphone.std() > 0.001


def seconds(page: Any) -> int:
    """Recorded so far."""
    minute, second = page.inner_text("#recorder-time").split(":")
    return 60 * int(minute) + int(second)


def strength(sound: NDArray[np.float32]) -> float:
    """How strong the tone of the tab is in two seconds of 48 kHz."""
    spectrum = np.abs(np.fft.rfft(sound))
    return float(spectrum[2 * TONE - 2 : 2 * TONE + 3].max())


def test_page_without_tls_says_why_it_cannot_record(page: Any) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.reload()
    page.click("#record")
    page.wait_for_selector("#recorder-problem:has-text('https')")


def test_logging_out_asks_before_it_gives_a_recording_up(
    speaking: Any, with_accounts: Server
) -> None:
    """Logging out clears what the browser keeps."""
    context = speaking.new_context(base_url=with_accounts.url, permissions=["microphone"])
    page = new_page(context)
    page.goto("/login")
    log_in(page)
    page.wait_for_selector("#record:enabled")
    begin(page, 2)
    crash(page)
    other = new_page(context)
    asked: list[str] = []

    def refuse(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    other.on("dialog", refuse)
    other.goto("/trash")
    other.click("#log-out button")
    wait_until(lambda: asked or other.wait_for_timeout(50), "the question")
    assert "recordings that are not done are given up" in asked[0]
    other.goto("/")
    other.wait_for_selector("#interrupted .upload")
    context.close()
