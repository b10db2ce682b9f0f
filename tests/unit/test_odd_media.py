"""Recordings as they really come: nothing of them is lost, and times are where they belong."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reflector.media.decode import SAMPLE_RATE, Decoded, PcmAudio, decode
from reflector.media.probe import probe
from tests.odd_media import RATE, Sound, container, damaged, id3_picture, sine, steps, wav

SECONDS = 6.0
SILENCE = np.zeros(int(SECONDS * RATE), np.int16)
TONE = sine(SECONDS)


def decoded(content: bytes, folder: Path) -> tuple[Decoded, NDArray[np.float32]]:
    target = folder / "a.s16"
    found = decode(io.BytesIO(content), target)
    audio = PcmAudio(target)
    return found, audio.read(0, audio.samples)


def first_sound(samples: NDArray[np.float32]) -> float:
    return float(np.argmax(np.abs(samples) > 0.05)) / SAMPLE_RATE


def pitch(samples: NDArray[np.float32], second: float) -> float:
    """The loudest frequency in the half second around `second` + 0.5, in Hz."""
    at = int((second + 0.25) * SAMPLE_RATE)
    part = samples[at : at + SAMPLE_RATE // 2]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    return float(np.argmax(spectrum)) * SAMPLE_RATE / len(part)


def mp3(rate: int, layout: str, first: int, last: int) -> bytes:
    return container("mp3", [Sound(steps(first, last, rate), "libmp3lame", rate, layout=layout)])


def adts(rate: int, layout: str, first: int, last: int) -> bytes:
    return container("adts", [Sound(steps(first, last, rate), "aac", rate, layout=layout)])


@pytest.mark.parametrize("make", [mp3, adts])
@pytest.mark.parametrize(("rate", "layout"), [(44_100, "stereo"), (48_000, "mono")])
def test_sound_goes_on_where_rate_or_channels_change(
    make: object, rate: int, layout: str, tmp_path: Path
) -> None:
    assert callable(make)
    content = make(44_100, "mono", 0, 5) + make(rate, layout, 5, 10)
    found, samples = decoded(content, tmp_path)
    assert found.duration == pytest.approx(10.0, abs=0.2)
    assert pitch(samples, 2) == pytest.approx(320, abs=4)
    assert pitch(samples, 8) == pytest.approx(380, abs=4)


def test_picture_in_the_middle_of_an_mp3_loses_no_sound(tmp_path: Path) -> None:
    whole = mp3(44_100, "mono", 0, 10)
    middle = len(whole) // 2
    content = whole[:middle] + id3_picture(200_000) + whole[middle:]
    found, samples = decoded(content, tmp_path)
    assert found.duration == pytest.approx(10.0, abs=0.3)
    assert pitch(samples, 8) == pytest.approx(380, abs=6)


@pytest.mark.parametrize("flipped", [20, 100])
def test_damaged_bytes_cost_no_more_than_their_packets(flipped: int, tmp_path: Path) -> None:
    whole = container("mp4", [Sound(steps(0, 20), "aac")])
    for seed in range(5):
        found, samples = decoded(damaged(whole, flipped, seed), tmp_path)
        assert found.duration == pytest.approx(20.0, abs=0.3)
        assert pitch(samples, 1) == pytest.approx(310, abs=4)
        assert pitch(samples, 18) == pytest.approx(480, abs=4)


@pytest.mark.parametrize("channels", [3, 5, 6, 8, 9, 24])
def test_last_of_many_channels_is_heard(channels: int, tmp_path: Path) -> None:
    content = wav([*[SILENCE] * (channels - 1), TONE])
    probe(io.BytesIO(content))
    found, samples = decoded(content, tmp_path)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)
    assert f"one of {channels} channels" in found.remarks[0]


def test_voices_on_two_of_many_channels_are_both_heard(tmp_path: Path) -> None:
    one = np.concatenate([steps(0, 3), np.zeros(3 * RATE, np.int16)])
    other = np.concatenate([np.zeros(3 * RATE, np.int16), steps(3, 6)])
    found, samples = decoded(wav([SILENCE, one, SILENCE, other]), tmp_path)
    assert pitch(samples, 1) == pytest.approx(310, abs=4)
    assert pitch(samples, 4) == pytest.approx(340, abs=4)
    assert found.remarks == ("Sound of 2 of 4 channels was mixed.",)


def test_stereo_that_cancels_itself_out_is_heard(tmp_path: Path) -> None:
    found, samples = decoded(wav([TONE, -TONE]), tmp_path)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)
    assert "cancel each other out" in found.remarks[0]


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "libopus"), ("mov", "aac")])
@pytest.mark.parametrize("first", [SILENCE, SILENCE[:0]], ids=["silent", "empty"])
def test_silent_or_empty_first_track_hides_no_other(
    kind: str, codec: str, first: NDArray[np.int16], tmp_path: Path
) -> None:
    content = container(kind, [Sound(first, codec), Sound(TONE, codec)], SECONDS)
    assert probe(io.BytesIO(content)).codec
    _, samples = decoded(content, tmp_path)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


def test_second_voice_on_a_track_of_its_own_is_heard(tmp_path: Path) -> None:
    first = Sound(np.concatenate([steps(0, 3), np.zeros(3 * RATE, np.int16)]))
    second = Sound(steps(3, 6), offset=3.0)
    found, samples = decoded(container("matroska", [first, second], SECONDS), tmp_path)
    assert pitch(samples, 1) == pytest.approx(310, abs=4)
    assert pitch(samples, 4) == pytest.approx(340, abs=4)
    assert found.remarks == ("Sound of 2 of 2 tracks was mixed.",)


def test_loud_tracks_are_mixed_without_distortion(tmp_path: Path) -> None:
    loud = (sine(SECONDS).astype(np.int32) * 19 // 10).astype(np.int16)
    other = (sine(SECONDS, 700.0).astype(np.int32) * 19 // 10).astype(np.int16)
    _, samples = decoded(wav([loud, other, SILENCE]), tmp_path)
    spectrum = np.abs(np.fft.rfft(samples[: 4 * SAMPLE_RATE]))
    loudest = {int(index) // 4 for index in np.argsort(spectrum)[-2:]}
    assert loudest == {440, 700}
    third = np.sort(spectrum)[-20]
    assert third < 0.01 * spectrum.max()


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "libopus"), ("mp4", "aac")])
def test_sound_that_begins_after_the_picture_keeps_its_times(
    kind: str, codec: str, tmp_path: Path
) -> None:
    content = container(kind, [Sound(steps(0, 10), codec, offset=5.0)], 15.0)
    found, samples = decoded(content, tmp_path)
    assert first_sound(samples) == pytest.approx(5.0, abs=0.1)
    assert found.duration == pytest.approx(15.0, abs=0.2)
    assert pitch(samples, 12) == pytest.approx(370, abs=4)
    assert probe(io.BytesIO(content)).duration == pytest.approx(found.duration, abs=0.2)


def test_gap_between_timestamps_is_silence(tmp_path: Path) -> None:
    """What a browser writes whose recording was paused."""
    parts = [Sound(steps(0, 4)), Sound(steps(4, 8), offset=10.0)]
    content = container("matroska", parts[:1], 1.0)
    found, samples = decoded(container("matroska", parts, 1.0), tmp_path)
    assert found.duration == pytest.approx(14.0, abs=0.2)
    assert np.abs(samples[5 * SAMPLE_RATE : 9 * SAMPLE_RATE]).max() < 0.01
    assert pitch(samples, 12) == pytest.approx(360, abs=4)
    assert decoded(content, tmp_path)[0].duration == pytest.approx(4.0, abs=0.2)


def test_steps_that_decode_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    content = container("mp3", [Sound(steps(0, 60), "libmp3lame")])
    target = tmp_path / "scratch" / "a.s16"
    with ThreadPoolExecutor(6) as pool:
        running = [pool.submit(decode, io.BytesIO(content), target) for _ in range(6)]
        found = [future.result() for future in running]
    assert len({each.duration for each in found}) == 1
    assert PcmAudio(target).duration == found[0].duration
    assert list(target.parent.iterdir()) == [target]
