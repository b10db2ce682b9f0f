"""What the browser plays is what it was asked for, whatever was uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.odd_media import Sound, container, steps
from tests.server import Server
from tests.web.test_pages import browser, new_page, pytestmark

__all__ = ["browser", "pytestmark"]

# Second i of the recording is a tone of 300 + 10 i Hz: plays most of a second from each of `points`
# and returns which seconds were heard
HEARD = """async ([url, points]) => {
  const audio = new Audio(url);
  audio.preload = "auto";
  await new Promise((resolve) => { audio.onloadedmetadata = resolve; });
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 32768;
  context.createMediaElementSource(audio).connect(analyser);
  analyser.connect(context.destination);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const heard = [audio.duration];
  for (const point of points) {
    audio.currentTime = point;
    await new Promise((resolve) => { audio.onseeked = resolve; });
    await audio.play();
    while (audio.currentTime < point + 0.85) await new Promise(requestAnimationFrame);
    analyser.getFloatFrequencyData(spectrum);
    audio.pause();
    const loudest = spectrum.indexOf(Math.max(...spectrum));
    heard.push((loudest * context.sampleRate / analyser.fftSize - 300) / 10);
  }
  return heard;
}"""


def variable(first: int, last: int, bit_rate: int) -> bytes:
    sound = Sound(steps(first, last, 44_100), "libmp3lame", 44_100, bit_rate=bit_rate)
    return container("mp3", [sound], options={"write_xing": "0", "id3v2_version": "0"})


def joined() -> bytes:
    """Two whole MP3s behind each other; the first says how long it is alone."""
    return b"".join(
        container("mp3", [Sound(steps(*part, 44_100), "libmp3lame", 44_100)])
        for part in ((0, 20), (20, 120))
    )


@pytest.mark.parametrize("kind", ["variable bit rate", "joined files"])
def test_second_that_is_asked_for_is_the_second_that_is_heard(
    kind: str, browser: Any, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp3"
    content = variable(0, 60, 32_000) + variable(60, 120, 256_000)
    path.write_bytes(content if kind == "variable bit rate" else joined())
    transcript_id = server.upload(path)
    server.wait_for_status(transcript_id, "ended")
    page = new_page(browser)
    page.goto(server.url)
    points = [110.0, 5.0, 66.0, 30.0, 115.0]
    duration, *heard = page.evaluate(HEARD, [f"/v1/transcripts/{transcript_id}/audio/mp3", points])
    page.close()
    assert duration == pytest.approx(120, abs=0.2)
    assert heard == [pytest.approx(point, abs=0.7) for point in points]


def test_sound_that_is_opened_by_itself_is_heard(
    browser: Any, server: Server, sample_id: str
) -> None:
    """As from a link in a message: the browser makes a page of it, under our policy."""
    page = new_page(browser)
    page.goto(f"{server.url.rstrip('/')}/v1/transcripts/{sample_id}/audio/mp3")
    page.wait_for_function("document.querySelector('video, audio')?.readyState > 0")
    assert page.evaluate("document.querySelector('video, audio').duration") > 10
