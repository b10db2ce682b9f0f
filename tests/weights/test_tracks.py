"""Two tracks of real voices on real weights: who said what, with loudspeakers beside the microphone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jiwer
import numpy as np
import pytest

from bench.accuracy.recordings import AUDIO, WORDS
from bench.accuracy.ways import plain
from tests.live.streaming import RATE, echo_of, samples_of, sending, stereo_webm
from tests.pipeline.test_way_of_a_file import words_of
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tools.real_models import fetch

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not AUDIO.is_dir(), reason=f"{AUDIO} with real speech is not there"),
]

MINE = ["kokoro-am_adam", "librispeech-7902-96591-0000", "kokoro-af_bella"]
SHARED = ["librispeech-6930-75918-0000", "jfk"]
LEVEL = 2500.0
ECHO_SECONDS = 0.12
# Each begins when the one before has not quite ended
OVERLAP_SECONDS = 0.5
SECONDS = 40.0
MOST_ERRORS = 0.2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"WHISPER_MODEL": str(fetch() / "whisper-base"), "LIVE_ENGINE": "none"}
    with running_server(tmp_path_factory.mktemp("data"), 0, **settings, **WITHOUT_SPEAKERS) as one:
        yield one


def conversation() -> tuple[np.ndarray, np.ndarray]:
    """The microphone and what is shared, in turns; 48 kHz."""
    mine, shared = (np.zeros(int(SECONDS * RATE), np.float32) for _ in range(2))
    at = RATE
    for track, name in zip(
        [shared, mine, shared, mine, mine], [SHARED[0], MINE[0], SHARED[1], *MINE[1:]], strict=True
    ):
        samples = samples_of(AUDIO / f"{name}.flac").astype(np.float32)
        samples *= LEVEL / np.sqrt((samples**2).mean())
        track[at : at + len(samples)] += samples[: len(track) - at]
        at += len(samples) - int(OVERLAP_SECONDS * RATE)
    return mine, shared


@pytest.mark.parametrize("echo", [0.0, 0.15, 0.5])
def test_each_track_has_its_own_words(server: Server, echo: float, tmp_path: Path) -> None:
    mine, shared = conversation()
    heard = mine + echo * echo_of(shared, ECHO_SECONDS)
    channels = [np.clip(track, -32768, 32767).astype(np.int16) for track in (heard, shared)]
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id, tracks=2) as sender:
        sender.send(stereo_webm(channels, tmp_path))
        sender.stop()
    server.wait_for_status(transcript_id, "ended")
    words = words_of(server, transcript_id)
    for names, speaker in ((SHARED, 0), (MINE, 1)):
        said = " ".join(word["text"] for word in words if word["speaker"] == speaker)
        errors = jiwer.wer(plain(" ".join(WORDS[name] for name in names)), plain(said))
        assert errors <= MOST_ERRORS, said
