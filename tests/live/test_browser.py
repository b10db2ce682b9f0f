"""Recording from a real browser, whose microphone plays a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import jiwer
import pytest

from tests.conftest import SAMPLE
from tests.live.client import cut
from tests.live.test_webrtc import WORD_ERRORS, said
from tests.pipeline.test_way_of_a_file import normalised, spoken, words_of
from tests.server import Server
from tests.web.test_pages import QUIET

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
SECONDS = 9.0

RECORD = """async ([id, seconds]) => {
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: {
    echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("commands");
  for (const track of microphone.getTracks()) connection.addTrack(track, microphone);
  const opened = new Promise((resolve) => { channel.onopen = resolve; });
  const pong = new Promise((resolve) => { channel.onmessage = (e) => resolve(e.data); });
  const closed = new Promise((resolve) => { channel.onclose = resolve; });
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise((resolve) => {
    if (connection.iceGatheringState === "complete") resolve();
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === "complete") resolve();
    };
  });
  const { sdp, type } = connection.localDescription;
  const response = await fetch(`/v1/transcripts/${id}/record/webrtc`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp, type }) });
  await connection.setRemoteDescription(await response.json());
  await opened;
  channel.send("ping");
  const answer = await pong;
  const audio = new AudioContext();
  const heard = audio.currentTime + seconds;
  await new Promise((resolve) => {
    const look = () => audio.currentTime >= heard ? resolve() : setTimeout(look, 50);
    look();
  });
  channel.send(JSON.stringify({ cmd: "STOP" }));
  await closed;
  return answer;
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_browser_records_its_microphone(server: Server, tmp_path: Path) -> None:
    speech = cut(SAMPLE, 0.0, SECONDS, tmp_path / "speech.wav")
    microphone = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={speech}%noloop",
    ]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *microphone])
        page = browser.new_context(base_url=server.url, permissions=["microphone"]).new_page()
        page.goto("/")
        transcript_id = server.create(source_kind="live")
        assert page.evaluate(RECORD, [transcript_id, SECONDS + 1]) == "pong"
        browser.close()
    server.wait_for_status(transcript_id, "ended")
    heard = spoken(words_of(server, transcript_id))
    assert jiwer.wer(normalised(said(SECONDS)), normalised(heard)) < WORD_ERRORS, heard
