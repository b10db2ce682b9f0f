"""A client of `record/stream` that does what a test tells it, and nothing by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from reflector.recorder.source import Spool, record
from tests.server import Server

PIECE = 4000
RATE = 48_000


class Sender:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.first = self.answer()
        self.offset: int = self.first.get("offset", 0)

    def answer(self) -> Any:
        return json.loads(self.socket.recv(timeout=60))

    def put(self, offset: int, piece: bytes) -> Any:
        self.socket.send(offset.to_bytes(8, "big") + piece)
        return self.answer()

    def send(self, content: bytes, until: int | None = None) -> int:
        """Send `content` from where the server is; return how much of it is acknowledged."""
        end = len(content) if until is None else until
        while self.offset < end:
            answer = self.put(self.offset, content[self.offset : min(end, self.offset + PIECE)])
            assert answer["type"] == "saved", answer
            self.offset = answer["offset"]
        return self.offset

    def stop(self) -> Any:
        self.socket.send('{"type": "stop"}')
        return self.answer()

    def close_code(self) -> int:
        try:
            self.socket.recv(timeout=60)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 0
        raise AssertionError("the server did not close the connection")


@contextmanager
def sending(
    server: Server,
    transcript_id: str,
    key: str = "first",
    container: str = "webm",
    tracks: int = 1,
    **headers: str,
) -> Iterator[Sender]:
    path = f"/v1/transcripts/{transcript_id}/record/stream?recording={key}&format={container}"
    address = f"{server.url.replace('http', 'ws', 1)}{path}&tracks={tracks}"
    with connect(address, additional_headers=headers) as socket:
        yield Sender(socket)


def webm(recording: Path, folder: Path) -> bytes:
    """The recording as a browser's recorder gives it: WebM/Opus, written forward only."""
    spool = Spool(folder / f"{recording.stem}.webm")
    record(av.open(str(recording)), spool, False, threading.Event())
    return spool.path.read_bytes()


def samples_of(recording: Path) -> NDArray[np.int16]:
    """Mono, 48 kHz."""
    resampler = av.AudioResampler("s16", "mono", RATE)
    with av.open(str(recording)) as source:
        frames = [*source.decode(source.streams.audio[0]), None]
        parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    return np.concatenate(parts)


def echo_of(samples: NDArray[Any], seconds: float) -> NDArray[Any]:
    """The same sound, so much later; 48 kHz."""
    delay = int(seconds * RATE)
    return np.concatenate([np.zeros(delay, samples.dtype), samples[:-delay]])


def stereo_webm(tracks: Sequence[NDArray[np.int16]], folder: Path) -> bytes:
    """Two tracks as a browser's recorder gives them: WebM/Opus. Samples as of `samples_of`."""
    channels = np.stack(tracks, axis=1)
    target = folder / "tracks.webm"
    with av.open(str(target), "w", "webm") as out:
        stream: Any = out.add_stream("libopus", rate=RATE)
        stream.layout = "stereo"
        for start in range(0, len(channels), RATE):
            piece = np.ascontiguousarray(channels[start : start + RATE]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, "s16", "stereo")
            frame.sample_rate, frame.pts = RATE, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target.read_bytes()


def fragmented_mp4(recording: Path, target: Path) -> bytes:
    """The recording as Safari's recorder gives it: AAC in fragments."""
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "500000"}
    with (
        av.open(str(recording)) as source,
        av.open(str(target), "w", "mp4", options=options) as out,
    ):
        stream: Any = out.add_stream("aac", rate=48_000)
        resampler = av.AudioResampler("fltp", "mono", 48_000)
        for frame in source.decode(source.streams.audio[0]):
            for part in resampler.resample(frame):
                part.pts = None
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return target.read_bytes()
