"""Live sound and a disk that takes its time."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av import AudioFrame
from numpy.typing import NDArray

from reflector.live import writer
from reflector.live.journal import Journal, Segment
from reflector.live.opus import RATE
from reflector.live.writer import SegmentWriter
from reflector.media.decode import SAMPLE_RATE, decode
from tests.waiting import wait_until

FRAME = RATE // 50


def frame(number: int, loud: bool = True) -> AudioFrame:
    """20 ms of a tone, the `number`th of the recording."""
    t = (np.arange(FRAME) + number * FRAME) / RATE
    samples = (np.sin(t * 440 * 2 * np.pi) * (8000 if loud else 0)).astype(np.int16)
    made = AudioFrame.from_ndarray(samples[None], "s16", "mono")
    made.sample_rate, made.time_base, made.pts = RATE, Fraction(1, RATE), number * FRAME
    return made


class StalledSegment(Segment):
    """Does not get on while `stalled` is set."""

    stalled = threading.Event()
    goes_on = threading.Event()

    def write(self, frame: AudioFrame) -> None:
        if self.stalled.is_set():
            assert self.goes_on.wait(60)
        super().write(frame)


@pytest.fixture
def segment(tmp_path: Path) -> StalledSegment:
    journal = Journal(tmp_path / "live" / "recording")
    journal.folder.mkdir(parents=True)
    StalledSegment.stalled.clear()
    StalledSegment.goes_on.clear()
    return StalledSegment(journal, 0)


def heard(recording: Path, tmp_path: Path) -> NDArray[np.int16]:
    """The loudest sample of each tenth of a second."""
    target = tmp_path / "x.s16"
    with recording.open("rb") as source:
        decode(source, target, lambda _: None)
    samples = np.abs(np.fromfile(target, np.int16))
    tenth = SAMPLE_RATE // 10
    whole = len(samples) // tenth * tenth
    return np.asarray(samples[:whole].reshape(-1, tenth).max(axis=1))


def test_disk_that_stalls_holds_up_nobody_and_loses_nothing(
    segment: StalledSegment, tmp_path: Path
) -> None:
    ended = threading.Event()
    writing = SegmentWriter(segment, ended.set)
    segment.stalled.set()
    for number in range(500):  # ten seconds; each call returns at once
        writing.put(frame(number))
    assert not ended.is_set()
    segment.goes_on.set()
    writing.close()
    assert ended.is_set()
    assert writing.lost == 0
    assert segment.seconds == pytest.approx(10.0)


def test_sound_that_found_no_room_is_silence_and_is_said(
    segment: StalledSegment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(writer, "WAITING_SECONDS", 1.0)
    writing = SegmentWriter(segment, lambda: None)
    segment.stalled.set()
    writing.put(frame(0))
    # Or it is taken later, and leaves room in the middle of what is lost
    wait_until(writing._waiting.empty, "the first frame being taken")
    for number in range(1, 200):
        writing.put(frame(number))
    segment.goes_on.set()
    wait_until(writing._waiting.empty, "the queue being written")
    segment.stalled.clear()
    for number in range(200, 250):
        writing.put(frame(number))
    writing.close()
    assert writing.lost == pytest.approx(3.0, abs=0.1)
    assert "sound is being lost" in caplog.text
    assert "were lost" in caplog.text
    # Times stay right: one second of sound, three of silence, one of sound
    loud = heard(tmp_path / "live/recording/0000.ogg", tmp_path) > 1000
    assert loud[2:8].all()
    assert not loud[15:35].any()
    assert loud[43:48].all()


def test_full_disk_ends_the_recording_and_keeps_what_came_before(
    segment: StalledSegment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    ended = threading.Event()
    monkeypatch.setattr(writer, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr(segment, "sync", full)
    writing = SegmentWriter(segment, ended.set)
    writing.put(frame(0))
    assert ended.wait(60)
    writing.put(frame(1))  # nothing happens
    writing.close()
    assert "No space left on device" in caplog.text


def test_newer_connection_ends_the_older_one(segment: StalledSegment, tmp_path: Path) -> None:
    ended = threading.Event()
    writing = SegmentWriter(segment, ended.set)
    Journal(tmp_path / "live" / "recording").begin_segment().close()
    writing.put(frame(0))
    assert ended.wait(60)
    writing.close()
