"""Receive the audio of one browser over WebRTC, into a segment of the journal."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from aiortc import RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import SessionDescription

from reflector.errors import InvalidInput
from reflector.live.journal import Journal, Segment
from reflector.live.metrics import sessions
from reflector.live.writer import SegmentWriter

log = logging.getLogger(__name__)

CONNECT_SECONDS = 30.0
# A muted microphone still sends packets
SILENT_SECONDS = 60.0
DRAIN_SECONDS = 3.0
MAX_OFFER = 256 << 10  # characters; a browser's offer has a few thousand


def check_offer(sdp: str, kind: str) -> None:
    """Raise InvalidInput if this is not a readable offer with audio."""
    if kind != "offer":
        raise InvalidInput(f'type has to be "offer", not "{kind[:40]}".')
    if len(sdp) > MAX_OFFER:
        raise InvalidInput("The offer is too long.")
    try:
        medias = SessionDescription.parse(sdp).media
    except Exception as error:  # a parser of untrusted text may raise anything
        raise InvalidInput("The offer cannot be read: it is not SDP (RFC 8866).") from error
    if not any(media.kind == "audio" for media in medias):
        raise InvalidInput("The offer has no audio: add a track of a microphone before making it.")


class Peer:
    """Answer an offer, then record until the recording is stopped or the client is gone.

    `on_end` is called once, after the last audio is on the disk. Runs on one event loop.
    """

    def __init__(self, journal: Journal, on_end: Callable[[Peer], None]) -> None:
        self._journal, self._on_end = journal, on_end
        self._writer: SegmentWriter | None = None
        self._heard_at = 0.0
        self._track: MediaStreamTrack | None = None
        self._connection = RTCPeerConnection()
        self._connected = asyncio.Event()
        self._recording: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._track_added)
        self._connection.on("datachannel", self._channel_added)
        sessions.inc()

    async def answer(self, sdp: str) -> str:
        """Return the SDP answer with all addresses in it.

        Raises InvalidInput if the offer cannot be answered; the caller must then close this peer.
        """
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            answer = await self._connection.createAnswer()
            await self._connection.setLocalDescription(answer)
        except Exception as error:
            log.warning("an offer could not be answered: %s", error)
            raise InvalidInput(
                "The offer cannot be answered: it has no codec or transport in common with this "
                "server, which takes Opus over DTLS-SRTP."
            ) from error
        return str(self._connection.localDescription.sdp)

    def record(self, segment: Segment) -> None:
        """Write incoming audio to `segment`.

        Call it after `answer`, before the client gets that.
        """
        loop = asyncio.get_running_loop()

        def written() -> None:
            with suppress(RuntimeError):  # the server has shut down
                loop.call_soon_threadsafe(self._close_soon)

        self._writer = SegmentWriter(segment, written)
        if self._track is not None:
            self._recording = asyncio.ensure_future(self._record(self._track, self._writer))
        self._watching = asyncio.ensure_future(self._watch())

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._connected.set()
        elif state in {"failed", "closed"}:
            self._close_soon()

    def _track_added(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._track is None:
            self._track = track

    def _channel_added(self, channel: RTCDataChannel) -> None:
        channel.on("message", lambda message: self._message(channel, message))

    def _message(self, channel: RTCDataChannel, message: str | bytes) -> None:
        if isinstance(message, str) and message.startswith("ping"):
            channel.send("pong" + message.removeprefix("ping"))
            return
        with suppress(ValueError, AttributeError, UnicodeDecodeError):
            if json.loads(message).get("cmd") == "STOP":
                self._journal.stop()
                self._close_soon()

    async def _record(self, track: MediaStreamTrack, writer: SegmentWriter) -> None:
        """Record until the connection is closed and all its audio is handed on."""
        with suppress(MediaStreamError):
            while True:
                writer.put(await track.recv())
                self._heard_at = monotonic()

    async def _watch(self) -> None:
        """Close a connection that sends nothing, because others wait for its slot."""
        try:
            await asyncio.wait_for(self._connected.wait(), CONNECT_SECONDS)
        except TimeoutError:
            log.warning("a browser that wanted to record did not connect: is UDP blocked?")
        else:
            self._heard_at = monotonic()
            while (left := self._heard_at + SILENT_SECONDS - monotonic()) > 0:
                await asyncio.sleep(left)
            log.warning("a connection brought no sound for %.0f s and was closed", SILENT_SECONDS)
        self._close_soon()

    def _close_soon(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())

    async def close(self) -> None:
        """End the connection. The segment is complete on the disk when this returns."""
        self._close_soon()
        assert self._closing is not None
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        try:
            await self._connection.close()
            if self._recording is not None:
                # Audio from before the close is still being decoded; a track without any audio
                # never ends by itself
                await asyncio.wait({self._recording}, timeout=DRAIN_SECONDS)
                self._recording.cancel()
        finally:
            if self._writer is not None:
                await asyncio.to_thread(self._writer.close)
            sessions.dec()
            self._on_end(self)
