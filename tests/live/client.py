"""A client that records over WebRTC, as a browser does: a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import httpx2
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

from tests.server import Server
from tests.waiting import wait_until


class Loop:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class Speaker:
    """One connection that sends a file's sound at the pace at which it was spoken."""

    def __init__(self, loop: Loop, recording: Path) -> None:
        self._loop = loop
        self.heard: list[str] = []
        self.answer = ""
        loop.do(self._open(recording))

    async def _open(self, recording: Path) -> None:
        self.connection = RTCPeerConnection()
        player = MediaPlayer(str(recording))
        assert player.audio is not None
        self._sound = player.audio
        self.connection.addTrack(self._sound)
        self.channel = self.connection.createDataChannel("commands")
        self.channel.on("message", self.heard.append)
        await self.connection.setLocalDescription(await self.connection.createOffer())

    @property
    def offer(self) -> dict[str, str]:
        described = self.connection.localDescription
        return {"sdp": described.sdp, "type": described.type}

    def connect(self, post: Callable[[dict[str, str]], httpx2.Response]) -> None:
        response = post(self.offer)
        assert response.status_code == 200, response.text
        body = response.json()
        self.answer = body["sdp"]
        assert body["type"] == "answer"
        description = RTCSessionDescription(body["sdp"], body["type"])
        self._loop.do(self.connection.setRemoteDescription(description))
        wait_until(lambda: self.channel.readyState == "open", "the data channel opens", 30)

    @property
    def has_said_all(self) -> bool:
        return bool(self._sound.readyState == "ended")

    def send(self, message: str) -> None:
        async def on_loop() -> None:
            self.channel.send(message)

        self._loop.do(on_loop())

    def close(self) -> None:
        self._loop.do(self.connection.close())


@contextmanager
def offering(recording: Path) -> Iterator[Speaker]:
    """With an offer, and nothing sent yet."""
    loop = Loop()
    speaker = Speaker(loop, recording)
    try:
        yield speaker
    finally:
        speaker.close()
        loop.close()


def record(server: Server, transcript_id: str, offer: dict[str, str]) -> httpx2.Response:
    return server.http.post(f"/v1/transcripts/{transcript_id}/record/webrtc", json=offer)


@contextmanager
def speaking(server: Server, transcript_id: str, recording: Path) -> Iterator[Speaker]:
    """Connected, and sending."""
    with offering(recording) as speaker:
        speaker.connect(lambda offer: record(server, transcript_id, offer))
        yield speaker


def cut(recording: Path, start: float, end: float, target: Path) -> Path:
    """The sound between two moments in seconds, as a WAV file."""
    with av.open(str(recording)) as source, av.open(str(target), "w", format="wav") as out:
        stream: Any = out.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        resampler = av.AudioResampler("s16", "mono", 16_000)
        for frame in source.decode(source.streams.audio[0]):
            if start <= float(frame.time or 0.0) < end:
                for part in resampler.resample(frame):
                    part.pts = None
                    out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return target
