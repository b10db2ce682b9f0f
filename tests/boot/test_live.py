"""Recordings from outside, over WebRTC and over Caddy, while the API is started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jiwer

from tests.boot.client import Client
from tests.boot.conftest import Appliance
from tests.conftest import SAMPLE, reference
from tests.live.client import cut, offering
from tests.pipeline.test_way_of_a_file import normalised
from tests.waiting import wait_until

SECONDS = 12.0
WORD_ERRORS = 0.3  # Opus twice over, and words cut at the end


def test_recording_goes_on_while_the_api_is_started_again(
    appliance: Appliance, client: Client, tmp_path: Path
) -> None:
    made = client.http.post("/v1/transcripts", json={"name": "Live", "source_kind": "live"})
    transcript = made.json()["id"]
    speech = cut(SAMPLE, 0.0, SECONDS, tmp_path / "speech.wav")
    with offering(speech) as speaker:
        path = f"/v1/transcripts/{transcript}/record/webrtc"
        speaker.connect(lambda offer: client.http.post(path, json=offer))
        appliance.machine.run("systemctl", "restart", "reflector-api.service")
        wait_until(lambda: speaker.has_said_all, "everything was said", 60)
        assert speaker.connection.connectionState == "connected"
        speaker.send('{"cmd": "STOP"}')
        wait_until(lambda: speaker.connection.connectionState == "closed", "the end", 30)
    assert client.wait_for(transcript)["status"] == "ended"
    check_words(client, transcript)


def check_words(client: Client, transcript: str) -> None:
    said = " ".join(word[0] for word in reference(SAMPLE).words if word[2] <= SECONDS)
    heard = client.words(transcript)
    assert jiwer.wer(normalised(said), normalised(heard)) < WORD_ERRORS, heard


def test_room_records_over_caddy_while_the_api_is_started_again(
    appliance: Appliance, client: Client, tmp_path: Path
) -> None:
    speech = cut(SAMPLE, 0.0, SECONDS, tmp_path / "speech.wav")
    made = client.http.post("/v1/user/api-keys", json={"name": "Room"}).json()
    command = [
        sys.executable, "-m", "reflector", "record", client.url, "--api-key", made["key"],
        "--ca-file", str(appliance.authority), "--file", str(speech), "--language", "en",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as room:
        try:
            assert room.stdout is not None
            transcript = room.stdout.readline().rpartition("/")[2].strip()
            wait_until(lambda: client.status(transcript) == "recording", "the first piece is there")
            appliance.machine.run("systemctl", "restart", "reflector-api.service")
            printed, _ = room.communicate(timeout=600)
        finally:
            room.kill()
    assert room.returncode == 0, printed
    assert client.status(transcript) == "ended"
    check_words(client, transcript)
    lines = [line for line in printed.splitlines() if line.startswith("00:")]
    assert lines, "no words were printed while they were spoken"
