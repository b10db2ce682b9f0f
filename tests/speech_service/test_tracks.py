"""Tracks of a meeting: aligned with silence, and mixed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media_files import make_file
from tests.speech_service.conftest import SpeechServer
from tests.speech_service.files import files_at

RATE = 16_000


def samples(content: bytes) -> NDArray[np.float32]:
    resampler = av.AudioResampler("fltp", "mono", RATE)
    with av.open(io.BytesIO(content)) as container:
        frames = [*container.decode(container.streams.audio[0]), None]
        parts = [part.to_ndarray()[0] for f in frames for part in resampler.resample(f)]
    return np.concatenate(parts)


def loudness(found: NDArray[np.float32], start: float, end: float) -> float:
    part = found[int(start * RATE) : int(end * RATE)]
    return float(np.sqrt(np.mean(part**2)))


@pytest.fixture
def tracks(tmp_path: Path) -> dict[str, bytes | str]:
    return {
        "/one": make_file(tmp_path / "a.webm", 2.0).read_bytes(),
        "/two": make_file(tmp_path / "b.wav", 1.0, 44_100, 2).read_bytes(),
        "/none": b"no sound",
    }


def test_padded_track_is_silent_first(speech: SpeechServer, tracks: dict[str, bytes | str]) -> None:
    with files_at(tracks) as url:
        answer = speech.http.post(
            "/pad",
            json={
                "track_url": f"{url}/one", "output_url": f"{url}/out?signature=x",
                "start_time_seconds": 1.5, "track_index": 0,
            },
        )  # fmt: skip
    assert answer.status_code == 200, answer.text
    content = tracks["/out?signature=x"]
    assert isinstance(content, bytes)
    assert answer.json() == {"size": len(content), "cancelled": False}
    found = samples(content)
    assert len(found) / RATE == pytest.approx(3.5, abs=0.1)
    assert loudness(found, 0.0, 1.4) < 0.01
    assert loudness(found, 1.6, 3.4) > 0.2


def test_tracks_are_mixed_at_their_offsets(
    speech: SpeechServer, tracks: dict[str, bytes | str]
) -> None:
    with files_at(tracks) as url:
        answer = speech.http.post(
            "/mixdown",
            json={
                "track_urls": [f"{url}/one", f"{url}/two"], "output_url": f"{url}/out",
                "offsets_seconds": [0.0, 3.25], "target_sample_rate": 44_100,
            },
        )  # fmt: skip
    assert answer.status_code == 200, answer.text
    content = tracks["/out"]
    assert isinstance(content, bytes)
    body = answer.json()
    assert (body["size"], body["cancelled"]) == (len(content), False)
    assert body["duration_ms"] == pytest.approx(4250, abs=30)
    found = samples(content)
    assert loudness(found, 0.1, 1.9) == pytest.approx(0.35, abs=0.1)
    assert loudness(found, 2.2, 3.1) < 0.01
    assert loudness(found, 3.4, 4.1) > 0.2


@pytest.mark.parametrize(
    ("path", "change", "status", "sentence"),
    [
        ("/mixdown", {"track_urls": []}, 400, "track_urls is empty"),
        ("/mixdown", {"offsets_seconds": [0.0, 1.0]}, 400, "one offset for each"),
        ("/mixdown", {"target_sample_rate": 7}, 400, "target_sample_rate cannot be 7"),
        ("/mixdown", {"output_url": "http://example.org/"}, 400, "not fetched from example.org"),
        ("/mixdown", {"track_urls": ["{url}/missing"]}, 404, "Audio file not found"),
        ("/mixdown", {"output_url": "{url}/refused"}, 400, "its server answers 403"),
        ("/pad", {"track_url": "{url}/none"}, 400, "cannot be read as audio"),
        ("/pad", {"start_time_seconds": 20_000}, 422, "start_time_seconds"),
        ("/pad", {"start_time_seconds": -1}, 422, "start_time_seconds"),
        ("/pad", {"output_url": "http://127.0.0.1:1/"}, 503, "cannot be sent"),
    ],
)
def test_tracks_that_cannot_be_worked_on(
    speech: SpeechServer,
    tracks: dict[str, bytes | str],
    path: str,
    change: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    body: dict[str, Any] = {
        "track_url": "{url}/one", "track_urls": ["{url}/one"], "output_url": "{url}/out",
        "start_time_seconds": 1.0, "track_index": 0, **change,
    }  # fmt: skip
    with files_at(tracks) as url:
        filled = {
            key: [each.format(url=url) if isinstance(each, str) else each for each in value]
            if isinstance(value, list)
            else value.format(url=url) if isinstance(value, str) else value
            for key, value in body.items()
        }  # fmt: skip
        answer = speech.http.post(path, json=filled)
    assert answer.status_code == status, answer.text
    assert sentence in answer.json()["error"]["message"]
