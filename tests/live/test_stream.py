"""Recording over a WebSocket: what was acknowledged is there, whatever ends the connection."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import jiwer
import pytest

from reflector.live.recordings import MOST_CONNECTIONS
from tests.conftest import SAMPLE
from tests.live.client import cut
from tests.live.streaming import fragmented_mp4, sending, webm
from tests.live.test_webrtc import WORD_ERRORS, said, status_of
from tests.pipeline.test_way_of_a_file import normalised, spoken, words_of
from tests.server import Server, running_server
from tests.waiting import wait_until

SECONDS = 10.0


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("stream")
    return webm(cut(SAMPLE, 0.0, SECONDS, folder / "speech.wav"), folder)


def check_text(server: Server, transcript_id: str, seconds: float = SECONDS) -> None:
    server.wait_for_status(transcript_id, "ended")
    duration = server.get(f"/v1/transcripts/{transcript_id}")["duration"]
    assert seconds * 1000 - 500 < duration < seconds * 1000 + 1000
    heard = spoken(words_of(server, transcript_id))
    assert jiwer.wer(normalised(said(seconds)), normalised(heard)) < WORD_ERRORS, heard


def test_what_was_streamed_is_transcribed_after_stop(server: Server, speech: bytes) -> None:
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id) as sender:
        assert sender.first == {"type": "ready", "offset": 0}
        assert status_of(server, transcript_id) == "recording"
        sender.send(speech)
        assert sender.stop() == {"type": "stopped"}
        assert sender.close_code() == 1000
    check_text(server, transcript_id)


def test_server_killed_while_recording_has_all_that_it_acknowledged(
    tmp_path: Path, speech: bytes
) -> None:
    with running_server(tmp_path) as server:
        transcript_id = server.create(source_kind="live")
        with sending(server, transcript_id) as sender:
            kept = sender.send(speech, until=len(speech) // 2)
            server.kill()
    with running_server(tmp_path) as server:
        with sending(server, transcript_id) as sender:
            assert sender.offset == kept
            sender.send(speech)
            sender.stop()
        check_text(server, transcript_id)


def test_pieces_that_come_again_or_too_early_change_nothing(server: Server, speech: bytes) -> None:
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id) as one, sending(server, transcript_id) as other:
        assert one.put(0, speech[:3000]) == {"type": "saved", "offset": 3000}
        # The other tab knows less, and the network brings a piece before the one that it follows
        assert other.put(0, speech[:5000]) == {"type": "saved", "offset": 5000}
        assert one.put(1000, speech[1000:2000]) == {"type": "saved", "offset": 5000}
        assert one.put(9000, speech[9000:9500]) == {"type": "ready", "offset": 5000}
        one.offset = 5000
        one.send(speech)
        one.stop()
    check_text(server, transcript_id)


def test_second_recorder_goes_on_in_the_same_transcript(server: Server, tmp_path: Path) -> None:
    """As after a crash of the browser."""
    transcript_id = server.create(source_kind="live")
    first = webm(cut(SAMPLE, 0.0, 5.0, tmp_path / "1.wav"), tmp_path)
    second = webm(cut(SAMPLE, 5.0, SECONDS, tmp_path / "2.wav"), tmp_path)
    with sending(server, transcript_id, "first") as sender:
        sender.send(first)
    with sending(server, transcript_id, "second") as sender:
        assert sender.offset == 0
        sender.send(second)
        sender.stop()
    check_text(server, transcript_id)


def test_recorder_of_safari_is_understood(server: Server, tmp_path: Path) -> None:
    transcript_id = server.create(source_kind="live")
    content = fragmented_mp4(cut(SAMPLE, 0.0, SECONDS, tmp_path / "a.wav"), tmp_path / "a.mp4")
    with sending(server, transcript_id, container="mp4") as sender:
        sender.send(content)
        sender.stop()
    check_text(server, transcript_id)


def test_recorder_that_comes_back_needs_no_second_place(tmp_path: Path, speech: bytes) -> None:
    """Its dead connection is still there."""
    with running_server(tmp_path, 0, MAX_LIVE_RECORDINGS="1", LIVE_ENGINE="none") as server:
        transcript_id, other = (server.create(source_kind="live") for _ in range(2))
        with sending(server, transcript_id) as dead:
            half = dead.send(speech, until=len(speech) // 2)
            with sending(server, transcript_id) as back:
                assert back.first == {"type": "ready", "offset": half}
                for key, to in (("first", other), ("second", transcript_id)):
                    with sending(server, to, key) as late:
                        assert "1 recordings are running already" in late.first["detail"]

        def has_place() -> bool:
            with sending(server, other) as next_one:
                return bool(next_one.first["type"] == "ready")

        wait_until(has_place, "the place of the one that ended")
        with ExitStack() as stack:
            # The connection that looked for a place may still be there
            opened = [
                stack.enter_context(sending(server, other)).first
                for _ in range(MOST_CONNECTIONS + 1)
            ]
            refused = [first["detail"] for first in opened if first["type"] == "error"]
            assert refused
            assert "open too often" in refused[0]


def test_stop_pressed_twice_is_told_apart_from_a_network_that_fails(
    server: Server, speech: bytes
) -> None:
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id) as one, sending(server, transcript_id) as other:
        one.send(speech)
        assert one.stop() == {"type": "stopped"}
        refused = other.put(len(speech), b"more")
        assert (refused["type"], refused["status"]) in {("error", 409), ("error", 404)}
        assert other.close_code() == 1008
    check_text(server, transcript_id)


def test_recording_that_was_stopped_is_never_replaced_by_what_comes_later(
    server: Server, speech: bytes
) -> None:
    """A client that missed the answer to its stop comes back, and another one begins anew."""
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id) as sender:
        sender.send(speech)
        sender.stop()
    for _ in ("at once", "when all is there"):
        with sending(server, transcript_id) as sender:
            assert (sender.first["status"], sender.first["offset"]) == (409, len(speech))
        with sending(server, transcript_id, "another") as sender:
            assert (sender.first["status"], sender.first["offset"]) == (409, 0)
        check_text(server, transcript_id)


@pytest.mark.parametrize(
    ("key", "container", "tracks", "sentence"),
    [
        ("..%2F..%2Fetc", "webm", 1, "1 to 64 letters"),
        ("", "webm", 1, "1 to 64 letters"),
        ("a", "exe", 1, "webm or mp4"),
        ("a", "webm", 3, "tracks has to be 1 or 2"),
    ],
)
def test_recorder_that_cannot_be_is_refused(
    server: Server, key: str, container: str, tracks: int, sentence: str
) -> None:
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id, key, container, tracks) as sender:
        assert sender.first["status"] == 400
        assert sentence in sender.first["detail"]
        assert sender.close_code() == 1008
    assert status_of(server, transcript_id) == "idle"


def test_transcript_with_another_recording_takes_no_stream(server: Server) -> None:
    transcript_id = server.upload(SAMPLE)
    with sending(server, transcript_id) as sender:
        assert sender.first["status"] == 400
        assert "has its recording already" in sender.first["detail"]


def test_message_that_is_none_is_refused(server: Server, speech: bytes) -> None:
    transcript_id = server.create(source_kind="live")
    for message in ('{"type": "dance"}', "[]", "no json", b"short"):
        with sending(server, transcript_id) as sender:
            sender.socket.send(message)
            assert sender.answer()["status"] == 400
    with sending(server, transcript_id) as sender:
        sender.socket.send('{"type": "ping"}')
        assert sender.answer() == {"type": "pong"}
        sender.send(speech)
        sender.stop()
    check_text(server, transcript_id)


def test_nothing_that_can_be_heard_makes_the_transcript_what_it_was(server: Server) -> None:
    transcript_id = server.create(source_kind="live")
    with sending(server, transcript_id) as sender:
        sender.put(0, b"this is no sound" * 100)
        sender.stop()
    server.wait_for_status(transcript_id, "idle")
