"""Every kind of recording in, and what is not one refused with a sentence."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest

from reflector.errors import InvalidInput
from reflector.media.decode import SAMPLE_RATE, PcmAudio, decode
from reflector.media.playback import write_mp3
from reflector.media.probe import probe
from reflector.media.waveform import Waveform
from tests.media_files import KINDS, make_file, tone

SECONDS = 3.0


@pytest.mark.parametrize("suffix", list(KINDS))
def test_every_kind_of_recording_is_decoded(suffix: str, tmp_path: Path) -> None:
    path = make_file(tmp_path / f"a.{suffix}", SECONDS)
    with path.open("rb") as source:
        assert probe(source).codec
        result = decode(source, tmp_path / "a.s16")
    audio = PcmAudio(tmp_path / "a.s16")
    assert result.duration == pytest.approx(SECONDS, abs=0.15)
    assert audio.duration == result.duration
    assert np.abs(audio.read(0, audio.samples)).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("suffix", ["mp3", "wav", "mp4"])
def test_playback_is_an_mp3_of_the_same_length(suffix: str, tmp_path: Path) -> None:
    path = make_file(tmp_path / f"a.{suffix}", SECONDS)
    with path.open("rb") as source:
        decode(source, tmp_path / "a.s16")
    write_mp3(PcmAudio(tmp_path / "a.s16"), tmp_path / "b.mp3", lambda _: None)
    with (tmp_path / "b.mp3").open("rb") as made:
        written = probe(made)
    assert written.container == "mp3"
    assert written.duration == pytest.approx(SECONDS, abs=0.15)


def test_stereo_at_another_rate_is_mixed_and_resampled(tmp_path: Path) -> None:
    path = make_file(tmp_path / "a.wav", SECONDS, rate=44_100, channels=2)
    with path.open("rb") as source:
        assert decode(source, tmp_path / "a.s16").duration == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"hello world\n" * 100, b"\x00" * 5000, b"ID3\x03"])
def test_what_is_no_recording_is_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="File"):
        probe(io.BytesIO(content))


def test_truncated_mp4_is_refused(tmp_path: Path) -> None:
    content = make_file(tmp_path / "a.mp4", SECONDS).read_bytes()
    with pytest.raises(InvalidInput, match="cut short"):
        probe(io.BytesIO(content[: len(content) // 2]))


def test_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with path.open("rb") as source, pytest.raises(InvalidInput, match="no audio stream"):
        probe(source)


def test_playlist_that_names_other_files_is_refused(tmp_path: Path) -> None:
    wave = make_file(tmp_path / "a.wav", 1.0)
    for text in (
        f"ffconcat version 1.0\nfile '{wave}'\n",
        f"#EXTM3U\n#EXTINF:1,\n{wave}\n#EXT-X-ENDLIST\n",
    ):
        with pytest.raises(InvalidInput):
            probe(io.BytesIO(text.encode()))


def test_nothing_is_left_of_a_file_that_cannot_be_decoded(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        decode(io.BytesIO(b"nothing" * 100), tmp_path / "x" / "a.s16")
    assert not list((tmp_path / "x").iterdir())


def test_waveform_has_255_peaks_and_its_largest_is_one() -> None:
    waveform = Waveform(SAMPLE_RATE)
    loud = (tone(60.0) * np.linspace(0, 1, 60 * SAMPLE_RATE) * 32767).astype(np.int16)
    for start in range(0, len(loud), 1237):
        waveform.add(loud[start : start + 1237])
    peaks = waveform.peaks()
    assert len(peaks) == 255
    assert max(peaks) == 1.0
    assert peaks == sorted(peaks)


def test_waveform_of_silence_is_zeros() -> None:
    waveform = Waveform(SAMPLE_RATE)
    waveform.add(np.zeros(SAMPLE_RATE * 10, np.int16))
    assert set(waveform.peaks()) == {0.0}


def test_waveform_of_a_long_recording_keeps_its_place() -> None:
    waveform = Waveform(SAMPLE_RATE)
    second = np.zeros(SAMPLE_RATE, np.int16)
    hours = 3
    for index in range(hours * 3600):
        second[:] = 20_000 if index == hours * 3600 // 2 else 0
        waveform.add(second)
    peaks = waveform.peaks()
    assert peaks.index(1.0) in (127, 128)
    assert sum(peaks) <= 2.0
