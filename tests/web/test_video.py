"""The video of an upload: shown beside the sound, in step with it, and only where there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.conftest import HELD_OUT
from tests.media_files import make_file
from tests.server import Server
from tests.web.test_pages import browser, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]

RATE = 5


def filmed(path: Path, recording: Path) -> Path:
    """The recording with a picture for it that is brighter each second."""
    with av.open(str(recording)) as source, av.open(str(path), "w", format="webm") as target:
        sound: Any = target.add_stream("libopus", rate=48_000)
        picture: Any = target.add_stream("libvpx", rate=RATE)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        seconds = 0.0
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                seconds += part.samples / 48_000
                target.mux(sound.encode(part))
        target.mux(sound.encode(None))
        for number in range(int(seconds * RATE)):
            shade = np.full((120, 160, 3), number * 255 / (seconds * RATE), np.uint8)
            image = av.VideoFrame.from_ndarray(shade, format="rgb24")
            image.pts = number
            target.mux(picture.encode(image))
        target.mux(picture.encode(None))
    return path


@pytest.fixture(scope="module")
def meeting(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = filmed(tmp_path_factory.mktemp("video") / "meeting.webm", HELD_OUT)
    transcript_id = server.create(name="filmed")
    server.send_chunk(transcript_id, path.read_bytes(), name=path.name).raise_for_status()
    server.wait_for_status(transcript_id, "ended")
    return transcript_id


def test_video_follows_the_player_and_has_captions(page: Any, meeting: str) -> None:
    page.goto(f"/transcripts/{meeting}")
    page.wait_for_selector("#video video")
    page.wait_for_selector("#video:not([hidden])")
    page.evaluate("document.querySelector('#audio').currentTime = 20")
    page.wait_for_function(
        "() => Math.abs(document.querySelector('#video video').currentTime - 20) < 0.5"
    )
    page.evaluate("document.querySelector('#audio').play()")
    page.wait_for_function("() => !document.querySelector('#video video').paused")
    page.evaluate("document.querySelector('#audio').pause()")
    page.wait_for_function("() => document.querySelector('#video video').paused")
    page.wait_for_function(
        "() => document.querySelector('#video video').textTracks[0].cues?.length > 3"
    )
    page.uncheck("#video-toggle")
    assert page.is_hidden("#video")
    page.reload()
    page.wait_for_selector("#video-label:not([hidden])")
    assert page.is_hidden("#video")


def test_ranges_of_the_upload_are_served_as_a_video(server: Server, meeting: str) -> None:
    path = f"/v1/transcripts/{meeting}/video"
    answer = server.http.get(path, headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"\x1aE\xdf\xa3")
    assert answer.headers["content-type"] == "video/webm"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_sound_in_a_video_container_offers_no_video(
    page: Any, server: Server, tmp_path: Path
) -> None:
    sound = make_file(tmp_path / "sound.webm", 5)
    transcript_id = server.create(name="sound alone")
    server.send_chunk(transcript_id, sound.read_bytes(), name=sound.name).raise_for_status()
    server.wait_for_status(transcript_id, "ended")
    page.goto(f"/transcripts/{transcript_id}")
    page.wait_for_function("() => document.querySelector('#video video')?.readyState > 0")
    assert page.is_hidden("#video-label")


def test_recording_without_pictures_asks_for_none(
    page: Any, server: Server, sample_id: str
) -> None:
    page.goto(f"/transcripts/{sample_id}")
    page.wait_for_selector("#player:not([hidden])")
    assert page.locator("#video video").count() == 0
    assert server.http.get(f"/v1/transcripts/{sample_id}/video").status_code == 404
