"""The journal of a live recording, broken off at every place."""

from __future__ import annotations

import errno
import os
import shutil
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av import AudioFrame
from sqlalchemy import update

from reflector.db.models import Status, Step, StepState, Transcript
from reflector.housekeeping import deletions
from reflector.live import finish
from reflector.live.journal import Journal, Segment
from reflector.live.opus import RATE
from reflector.live.recordings import LiveRecordings
from reflector.live.stream import Stream
from reflector.media.decode import decode
from reflector.media.probe import probe
from reflector.services import Services
from tests.api.people import make_transcript
from tests.conftest import SAMPLE
from tests.live.client import cut
from tests.live.streaming import webm
from tests.media_files import tone

PACKET = RATE // 50


class NoDispatcher:
    """Takes nudges of work that nobody is to do."""

    def nudge(self, *_: Any) -> None:
        pass

    def is_idle(self) -> bool:
        return True


@pytest.fixture
def transcript_id(services: Services) -> str:
    return make_transcript(services, status=Status.RECORDING, source_kind="live")


def journal_of(services: Services, transcript_id: str) -> Journal:
    return Journal(services.settings.live_dir / transcript_id)


def say(segment: Segment, seconds: float, start: float = 0.0) -> None:
    """A tone in packets of 20 ms, as WebRTC brings it: stereo."""
    samples = (0.3 * tone(seconds, RATE) * 32767).astype(np.int16)
    for at in range(0, len(samples), PACKET):
        interleaved = np.repeat(samples[at : at + PACKET], 2)[None]
        frame = AudioFrame.from_ndarray(interleaved, format="s16", layout="stereo")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = int(start * RATE) + at
        segment.write(frame)


def seconds_of(path: Path) -> float:
    with path.open("rb") as file:
        return probe(file).duration or 0.0


def hand_over(services: Services) -> None:
    LiveRecordings(services, NoDispatcher()).finish_ended()


def stored(services: Services, transcript_id: str) -> Transcript:
    with services.db.read() as session:
        return session.get_one(Transcript, transcript_id)


def recorded(services: Services, transcript_id: str, seconds: float = 2.0) -> Journal:
    """A journal that was stopped."""
    journal = journal_of(services, transcript_id)
    segment = journal.begin_segment()
    say(segment, seconds)
    segment.close()
    journal.stop()
    return journal


def test_lost_packets_are_silence_and_a_long_hole_is_a_pause(tmp_path: Path) -> None:
    segment = Journal(tmp_path / "live" / "a").begin_segment()
    say(segment, 1.0)
    say(segment, 1.0, start=4.0)
    assert segment.seconds == pytest.approx(5.0, abs=0.05)
    say(segment, 1.0, start=4000.0)
    assert segment.seconds == pytest.approx(6.0, abs=0.05)
    segment.close()
    assert seconds_of(tmp_path / "live" / "a" / "0000.ogg") == pytest.approx(6.0, abs=0.1)


def test_what_was_synced_can_be_read_wherever_the_file_breaks_off(tmp_path: Path) -> None:
    segment = Journal(tmp_path / "live" / "a").begin_segment()
    say(segment, 10.0)
    segment.sync()
    copy = tmp_path / "copy.ogg"
    shutil.copy(tmp_path / "live" / "a" / "0000.ogg", copy)
    assert seconds_of(copy) > 9.0
    content = copy.read_bytes()
    for part in (0.3, 0.55, 0.8):
        copy.write_bytes(content[: int(len(content) * part)])
        assert seconds_of(copy) > 10 * part - 1.5
    segment.close()


def test_segments_of_broken_connections_become_one_recording(
    services: Services, transcript_id: str
) -> None:
    journal = journal_of(services, transcript_id)
    for seconds in (2.0, 0.0, 3.0):
        segment = journal.begin_segment()
        say(segment, seconds)
        segment.close()
    journal.stop()
    hand_over(services)
    transcript = stored(services, transcript_id)
    assert (transcript.status, transcript.last_run) == (Status.UPLOADED, 1)
    assert transcript.upload_key is not None
    with services.storage.open(transcript.upload_key) as file:
        assert probe(file).duration == pytest.approx(5.0, abs=0.2)
    assert not journal.folder.exists()


def test_recording_that_is_still_written_is_left_alone(
    services: Services, transcript_id: str
) -> None:
    journal = journal_of(services, transcript_id)
    segment = journal.begin_segment()
    say(segment, 1.0)
    journal.stop()
    assert segment.is_superseded
    hand_over(services)
    assert stored(services, transcript_id).status == Status.RECORDING
    segment.close()
    hand_over(services)
    assert stored(services, transcript_id).status == Status.UPLOADED


def test_client_is_waited_for_before_its_recording_ends(
    services: Services, transcript_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = journal_of(services, transcript_id).begin_segment()
    say(segment, 1.0)
    segment.close()
    hand_over(services)
    assert stored(services, transcript_id).status == Status.RECORDING
    monkeypatch.setattr(finish, "RETURN_SECONDS", 0.0)
    hand_over(services)
    assert stored(services, transcript_id).status == Status.UPLOADED


def test_server_stopped_between_storage_and_database_loses_nothing(
    services: Services, transcript_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(services, transcript_id)
    with monkeypatch.context() as patch:
        patch.setattr(
            finish, "retry_on_disconnect", lambda action: (_ for _ in ()).throw(OSError("stopped"))
        )
        hand_over(services)
    assert stored(services, transcript_id).upload_key is None
    hand_over(services)
    transcript = stored(services, transcript_id)
    assert (transcript.status, transcript.last_run) == (Status.UPLOADED, 1)


def test_disk_that_is_full_at_the_end_keeps_what_was_heard(
    services: Services, transcript_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = recorded(services, transcript_id)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(services.storage, "adopt", full)
        hand_over(services)
    assert journal.segments()
    hand_over(services)
    assert stored(services, transcript_id).status == Status.UPLOADED


def test_nothing_heard_makes_the_transcript_what_it_was(
    services: Services, transcript_id: str
) -> None:
    journal = recorded(services, transcript_id, seconds=0.0)
    hand_over(services)
    transcript = stored(services, transcript_id)
    assert (transcript.status, transcript.upload_key) == (Status.IDLE, None)
    assert not journal.folder.exists()


def test_second_recording_of_a_transcript_is_set_aside_and_not_lost(
    services: Services, transcript_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with services.db.write() as session:
        session.get_one(Transcript, transcript_id).upload_key = "another"
    recorded(services, transcript_id)
    hand_over(services)
    (kept,) = (services.settings.live_dir / "set-aside").glob("*/0000.ogg")
    assert seconds_of(kept) == pytest.approx(2.0, abs=0.1)
    assert "the second is kept in" in caplog.text


def test_recording_of_a_destroyed_transcript_goes(services: Services) -> None:
    journal = recorded(services, "no-such-transcript")
    hand_over(services)
    assert not journal.folder.exists()


def streamed(services: Services, transcript_id: str, content: bytes, key: str = "a") -> Journal:
    """A journal to which a browser has sent a recording."""
    journal = journal_of(services, transcript_id)
    stream = Stream(journal, key, "webm")
    stream.open()
    assert stream.append(0, content, lambda _: None) == len(content)
    return journal


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return webm(cut(SAMPLE, 0.0, 4.0, tmp_path / "a.wav"), tmp_path)


def duration_of(services: Services, transcript_id: str) -> float:
    key = stored(services, transcript_id).upload_key
    assert key is not None
    with services.storage.open(key) as file:
        return decode(file, services.settings.scratch_dir / "decoded").duration


def end_run(services: Services, transcript_id: str) -> None:
    with services.db.write() as session:
        session.execute(
            update(Step).where(Step.transcript_id == transcript_id).values(state=StepState.DONE)
        )


def test_full_disk_takes_a_piece_back_whole(
    services: Services, transcript_id: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = streamed(services, transcript_id, content[:1000])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    stream = Stream(journal, "a", "webm")
    assert stream.open() == 1000
    with monkeypatch.context() as patch:
        patch.setattr("reflector.live.stream.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            stream.append(1000, content[1000:2000], lambda _: None)
    assert journal.size() == 1000
    assert stream.append(1000, content[1000:], lambda _: None) == len(content)


def test_browser_that_comes_back_late_adds_to_its_transcript(
    services: Services, transcript_id: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = streamed(services, transcript_id, content[: len(content) // 2])
    hand_over(services)
    assert stored(services, transcript_id).status == Status.RECORDING
    monkeypatch.setattr(finish, "STREAM_AWAY_SECONDS", 0.0)
    hand_over(services)
    assert stored(services, transcript_id).last_run == 1
    assert duration_of(services, transcript_id) == pytest.approx(2.0, abs=0.6)
    hand_over(services)
    assert stored(services, transcript_id).last_run == 1
    streamed(services, transcript_id, content)
    journal.stop()
    hand_over(services)
    assert stored(services, transcript_id).last_run == 1, "the first run is still at work"
    end_run(services, transcript_id)
    hand_over(services)
    assert stored(services, transcript_id).last_run == 2
    assert duration_of(services, transcript_id) == pytest.approx(4.0, abs=0.2)
    assert not journal.folder.exists()


def test_stream_whose_browser_never_returns_is_forgotten_after_a_week(
    services: Services, transcript_id: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = streamed(services, transcript_id, content)
    monkeypatch.setattr(finish, "STREAM_AWAY_SECONDS", 0.0)
    hand_over(services)
    end_run(services, transcript_id)
    hand_over(services)
    assert journal.folder.exists()
    monkeypatch.setattr(finish, "STREAM_KEPT_SECONDS", 0.0)
    hand_over(services)
    assert not journal.folder.exists()
    assert stored(services, transcript_id).last_run == 1
    assert duration_of(services, transcript_id) == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize("call", ["adopt", "mark"])
def test_server_stopped_while_it_hands_a_stream_over_starts_one_run(
    services: Services,
    transcript_id: str,
    content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    streamed(services, transcript_id, content)
    monkeypatch.setattr(finish, "STREAM_AWAY_SECONDS", 0.0)

    def stopped(*_: Any) -> None:
        raise OSError("stopped")

    with monkeypatch.context() as patch:
        if call == "adopt":
            patch.setattr(finish, "retry_on_disconnect", stopped)
        else:
            patch.setattr(Journal, "mark_handed_over", stopped)
        hand_over(services)
    end_run(services, transcript_id)
    hand_over(services)
    hand_over(services)
    assert stored(services, transcript_id).last_run == 1
    assert duration_of(services, transcript_id) == pytest.approx(4.0, abs=0.2)


def test_sound_that_cannot_be_read_is_kept_aside(
    services: Services, transcript_id: str, content: bytes
) -> None:
    streamed(services, transcript_id, content)
    journal = streamed(services, transcript_id, b"no sound" * 1000, key="b")
    journal.stop()
    hand_over(services)
    assert duration_of(services, transcript_id) == pytest.approx(4.0, abs=0.2)
    assert not journal.folder.exists()
    (kept,) = (services.settings.live_dir / "set-aside").glob("*/*.b.webm")
    assert kept.stat().st_size == 8000


def test_journal_begun_anew_beside_a_recording_does_not_replace_it(
    services: Services, transcript_id: str, content: bytes
) -> None:
    streamed(services, transcript_id, content).stop()
    hand_over(services)
    end_run(services, transcript_id)
    (services.settings.live_dir / "locks" / f"{transcript_id}.ended").unlink()
    streamed(services, transcript_id, content[:20_000], key="b").stop()
    hand_over(services)
    assert stored(services, transcript_id).last_run == 1
    assert duration_of(services, transcript_id) == pytest.approx(4.0, abs=0.2)
    assert list((services.settings.live_dir / "set-aside").glob("*/*.b.webm"))


def test_paused_recording_is_not_taken_for_an_abandoned_one(
    services: Services, transcript_id: str, content: bytes
) -> None:
    journal = streamed(services, transcript_id, content)
    path = journal.segments()[0]
    long_ago = time.time() - 2 * finish.STREAM_AWAY_SECONDS
    os.utime(path, (long_ago, long_ago))
    stream = Stream(journal, "a", "webm")
    stream.open()
    stream.keep_alive()
    hand_over(services)
    assert stored(services, transcript_id).status == Status.RECORDING


def test_destroyed_transcript_leaves_no_locks_and_nothing_aside(
    services: Services, transcript_id: str, content: bytes
) -> None:
    journal = streamed(services, transcript_id, content)
    journal.stop()
    journal.set_aside()
    assert list(services.settings.live_dir.glob(f"*/{transcript_id}*"))
    with services.db.write() as session:
        deletions.order(session, transcript_id)
    deletions.execute(services, transcript_id)
    assert list(services.settings.live_dir.glob(f"*/{transcript_id}*")) == []
