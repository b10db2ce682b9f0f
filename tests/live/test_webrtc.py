"""Recording over WebRTC: a real connection, real sound, and everything that can end it."""

from __future__ import annotations

import re
from pathlib import Path

import jiwer
import pytest

from tests.conftest import SAMPLE, reference
from tests.live.client import cut, offering, record, speaking
from tests.pipeline.test_way_of_a_file import normalised, spoken, words_of
from tests.server import Server, running_server
from tests.waiting import wait_until

STOP = '{"cmd": "STOP"}'
SECONDS = 12.0
WORD_ERRORS = 0.3  # Opus twice over, and words cut at the end


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cut(SAMPLE, 0.0, SECONDS, tmp_path_factory.mktemp("speech") / "speech.wav")


def said(until: float) -> str:
    return " ".join(word[0] for word in reference(SAMPLE).words if word[2] <= until)


def journals(data: Path) -> list[Path]:
    return sorted((data / "live").glob("*/*.ogg"))


def journaled(server: Server) -> int:
    """Bytes on the disk."""
    return sum(path.stat().st_size for path in journals(server.data))


def status_of(server: Server, transcript_id: str) -> str:
    return str(server.get(f"/v1/transcripts/{transcript_id}")["status"])


def test_what_was_said_is_transcribed_after_stop(server: Server, speech: Path) -> None:
    transcript_id = server.create(source_kind="live")
    with speaking(server, transcript_id, speech) as speaker:
        assert status_of(server, transcript_id) == "recording"
        speaker.send("ping 7")
        wait_until(lambda: speaker.heard == ["pong 7"], "the server answers a ping", 10)
        wait_until(lambda: speaker.has_said_all, "everything was said", 60)
        speaker.send(STOP)
        wait_until(lambda: speaker.connection.connectionState == "closed", "the end", 30)
    server.wait_for_status(transcript_id, "ended")
    transcript = server.get(f"/v1/transcripts/{transcript_id}")
    assert transcript["source_kind"] == "live"
    assert SECONDS * 1000 - 500 < transcript["duration"] < SECONDS * 1000 + 1500
    heard = spoken(words_of(server, transcript_id))
    assert jiwer.wer(normalised(said(SECONDS)), normalised(heard)) < WORD_ERRORS, heard
    assert journals(server.data) == []
    again = record(server, transcript_id, speaker.offer)
    assert (again.status_code, "has its recording already" in again.text) == (400, True)


def test_client_whose_connection_broke_goes_on_in_the_same_recording(
    server: Server, tmp_path: Path
) -> None:
    transcript_id = server.create(source_kind="live")
    first, second = (
        cut(SAMPLE, 0.0, 5.0, tmp_path / "1.wav"), cut(SAMPLE, 5.0, 10.0, tmp_path / "2.wav"),
    )  # fmt: skip
    with speaking(server, transcript_id, first) as speaker:
        wait_until(lambda: speaker.has_said_all, "the first part was said", 60)
    with speaking(server, transcript_id, second) as speaker:
        assert len(journals(server.data)) == 2
        wait_until(lambda: speaker.has_said_all, "the second part was said", 60)
        speaker.send(STOP)
    server.wait_for_status(transcript_id, "ended")
    assert 9000 < server.get(f"/v1/transcripts/{transcript_id}")["duration"] < 12_000
    heard = spoken(words_of(server, transcript_id))
    assert jiwer.wer(normalised(said(10.0)), normalised(heard)) < WORD_ERRORS, heard


def test_second_connection_takes_over_from_the_first(server: Server, speech: Path) -> None:
    transcript_id = server.create(source_kind="live")
    with (
        speaking(server, transcript_id, speech) as first,
        speaking(server, transcript_id, speech) as second,
    ):
        wait_until(lambda: first.connection.connectionState == "closed", "the first is closed", 30)
        assert second.connection.connectionState == "connected"
        second.send(STOP)
    server.wait_for_status(transcript_id, "ended")


def test_client_that_vanishes_leaves_a_recording(server: Server, tmp_path: Path) -> None:
    transcript_id = server.create(source_kind="live")
    with speaking(server, transcript_id, cut(SAMPLE, 0.0, 4.0, tmp_path / "a.wav")) as speaker:
        wait_until(lambda: speaker.has_said_all, "everything was said", 60)
    server.wait_for_status(transcript_id, "ended")
    assert server.get(f"/v1/transcripts/{transcript_id}")["duration"] > 3000


def test_server_killed_while_recording_loses_at_most_the_last_seconds(
    tmp_path: Path, speech: Path
) -> None:
    with running_server(tmp_path) as server:
        transcript_id = server.create(source_kind="live")
        with speaking(server, transcript_id, speech):
            wait_until(lambda: journaled(server) > 60_000, "some seconds are on the disk", 60)
            server.kill()
        (segment,) = journals(tmp_path)
        assert segment.stat().st_size > 60_000
    with running_server(tmp_path) as server:
        server.wait_for_status(transcript_id, "ended")
        milliseconds = server.get(f"/v1/transcripts/{transcript_id}")["duration"]
        assert milliseconds > 5000  # 64 kbit/s: 60,000 bytes are more than that
        assert journals(tmp_path) == []


def test_stopped_server_lets_its_client_go_on_after_the_restart(
    tmp_path: Path, speech: Path
) -> None:
    with running_server(tmp_path) as server:
        transcript_id = server.create(source_kind="live")
        with speaking(server, transcript_id, speech):
            wait_until(lambda: journaled(server) > 20_000, "something is on the disk", 60)
            server.stop()
    with running_server(tmp_path) as server:
        with speaking(server, transcript_id, speech) as speaker:
            assert len(journals(tmp_path)) == 2
            wait_until(lambda: journaled(server) > 50_000, "more is on the disk", 60)
            speaker.send(STOP)
        server.wait_for_status(transcript_id, "ended")
        assert server.get(f"/v1/transcripts/{transcript_id}")["duration"] > 4000


def test_transcript_destroyed_while_recording_leaves_nothing(server: Server, speech: Path) -> None:
    transcript_id = server.create(source_kind="live")
    path = f"/v1/transcripts/{transcript_id}"
    with speaking(server, transcript_id, speech) as speaker:
        wait_until(lambda: journaled(server) > 5_000, "something is on the disk", 60)
        upload = server.send_chunk(transcript_id, b"x")
        assert (upload.status_code, "already an upload" in upload.text) == (400, True)
        assert server.http.post(f"{path}/process").status_code == 400
        server.http.delete(path).raise_for_status()
        server.http.delete(f"{path}/destroy").raise_for_status()
        wait_until(lambda: speaker.connection.connectionState == "closed", "the server ends it", 30)
    wait_until(lambda: journals(server.data) == [], "the journal is gone", 60)


def test_offer_that_is_never_taken_up_changes_nothing_in_the_end(
    tmp_path: Path, speech: Path
) -> None:
    with offering(speech) as speaker:
        offer = speaker.offer
    with running_server(tmp_path) as server:
        transcript_id = server.create(source_kind="live")
        assert record(server, transcript_id, offer).status_code == 200
        assert status_of(server, transcript_id) == "recording"
        wait_until(lambda: status_of(server, transcript_id) == "idle", "nobody came", 90)
        wait_until(lambda: journals(tmp_path) == [], "nothing is left")


def test_ports_and_address_of_the_answer_are_those_of_the_settings(
    tmp_path: Path, speech: Path
) -> None:
    ports, host = "50300-50340", "localhost"
    with (
        running_server(tmp_path, WEBRTC_PORT_RANGE=ports, WEBRTC_HOST=host) as server,
        offering(speech) as speaker,
    ):
        answer = record(server, server.create(), speaker.offer).json()["sdp"]
    candidates = re.findall(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
    assert candidates
    assert {address for address, _ in candidates} <= {"127.0.0.1", "::1"}
    assert all(50_300 <= int(port) <= 50_340 for _, port in candidates)
    assert "\r\n\r\n" not in answer


@pytest.mark.parametrize(
    ("offer", "sentence"),
    [
        ({"sdp": "", "type": "offer"}, "no audio"),
        ({"sdp": "nonsense", "type": "offer"}, "not SDP|no audio"),
        ({"sdp": "v=0\r\nm=audio x y z\r\n", "type": "offer"}, "not SDP"),
        (
            {"sdp": "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", "type": "offer"},
            "cannot be answered",
        ),
        ({"sdp": "v=0\r\n", "type": "answer"}, 'has to be \\\\"offer\\\\"'),
        ({"sdp": "x" * 300_000, "type": "offer"}, "too long"),
    ],
)
def test_offer_that_cannot_be_used_is_refused_with_a_sentence(
    server: Server, offer: dict[str, str], sentence: str
) -> None:
    transcript_id = server.create(source_kind="live")
    refused = record(server, transcript_id, offer)
    assert refused.status_code == 400
    assert re.search(sentence, refused.text), refused.text
    assert status_of(server, transcript_id) == "idle"


def test_locked_transcript_takes_no_recording(server: Server) -> None:
    transcript_id = server.create(source_kind="live")
    path = f"/v1/transcripts/{transcript_id}"
    server.http.patch(path, json={"locked": True}).raise_for_status()
    refused = record(server, transcript_id, {"sdp": "", "type": "offer"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Transcript is locked")
