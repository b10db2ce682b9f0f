"""Record from a browser over a WebSocket: pieces of a file, acknowledged when they are on the disk.

A binary message is the offset of its piece (8 bytes, big-endian) and the piece. The server answers
`{"type": "saved", "offset": bytes}`, and at first `ready` with the offset to begin at. Text messages
of the client are `{"type": "stop"}` and `{"type": "ping"}`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from reflector.accounts.access import RouteAccess
from reflector.accounts.identity import Credentials
from reflector.db.models import Status
from reflector.errors import (
    Conflict,
    InvalidInput,
    OutOfSpace,
    PasswordChangeNeeded,
    ReflectorError,
    Unavailable,
    is_final,
    is_out_of_space,
)
from reflector.events.outbox import Outbox
from reflector.http.deps import services_of
from reflector.http.errors import FULL, NO_DATABASE
from reflector.http.limits import refuse_large_recording, refuse_without_space
from reflector.http.sockets import (
    CHECK_SECONDS,
    NOT_ALLOWED,
    TRY_AGAIN,
    accept,
    socket_credentials,
)
from reflector.live.recordings import LiveRecordings
from reflector.live.rights import open_transcript
from reflector.live.stream import Stream
from reflector.services import Services
from reflector.storage.keys import live_key

log = logging.getLogger(__name__)

router = APIRouter()

OFFSET_BYTES = 8
# A client that pauses sends pings; one that sends nothing is gone
SILENT_SECONDS = 60.0


@router.websocket("/transcripts/{transcript_id}/record/stream")
async def transcript_record_stream(
    socket: WebSocket,
    transcript_id: str,
    recording: str = "",
    format: str = "webm",
    tracks: int = 1,
) -> None:
    """Record what a browser's MediaRecorder gives, over any number of connections.

    `recording` is the client's name for one recorder, whose file `format` is webm or mp4. Another
    recorder may continue the same transcript. With two `tracks`, its left channel is a microphone,
    and the right one the sound of a tab or system.
    """
    live = cast(LiveRecordings, socket.app.state.live)
    recorder = _Recorder(services_of(socket), socket_credentials(socket), transcript_id)
    # Browsers do not tell pages why a handshake failed
    await accept(socket)
    with suppress(WebSocketDisconnect, RuntimeError):
        try:
            is_new = await run_in_threadpool(recorder.check)
            with live.stream(transcript_id, recording) as journal:
                stream = Stream(journal, recording, format, tracks)
                try:
                    offset = await asyncio.to_thread(stream.open, is_new)
                    await run_in_threadpool(recorder.mark)
                    await _receive(socket, stream, offset, recorder, live)
                except Conflict as error:
                    # The client may have missed the answer to its stop
                    await _refuse(socket, error, await asyncio.to_thread(lambda: stream.kept))
        except (ReflectorError, OSError, SQLAlchemyError) as error:
            await _refuse(socket, error)


class _Recorder:
    """A caller's right to record into one transcript."""

    def __init__(self, services: Services, credentials: Credentials, transcript_id: str) -> None:
        self._services, self._credentials = services, credentials
        self.transcript_id = transcript_id

    def check(self, again: bool = False) -> bool:
        """Return whether the transcript has no recording yet.

        Raises what the caller gets if they may not record here, or not any more.
        """
        services = self._services
        caller = services.identity.resolve(self._credentials, again=again)
        if caller.must_change_password:
            raise PasswordChangeNeeded
        services.identity.policy.admit(caller, RouteAccess.PUBLIC)
        refuse_without_space(services.settings)
        with services.db.read() as session:
            key = live_key(self.transcript_id)
            return open_transcript(session, caller, self.transcript_id, key).upload_key is None

    def mark(self) -> None:
        """Show that the transcript is being recorded, unless it has text already."""
        services = self._services
        caller = services.identity.resolve(self._credentials)
        with services.db.write() as session:
            key = live_key(self.transcript_id)
            transcript = open_transcript(session, caller, self.transcript_id, key, lock=True)
            if transcript.upload_key is None:
                Outbox(services.bus, session, transcript).status(Status.RECORDING)

    def admit(self, size: int) -> None:
        """Raise OutOfSpace or TooLarge if the recording must not grow to `size` bytes."""
        refuse_without_space(self._services.settings)
        refuse_large_recording(self._services.settings, size)


async def _receive(
    socket: WebSocket, stream: Stream, offset: int, recorder: _Recorder, live: LiveRecordings
) -> None:
    await socket.send_json({"type": "ready", "offset": offset})
    live.begin_captions(recorder.transcript_id)
    checked = monotonic()
    while True:
        try:
            message: Any = await asyncio.wait_for(socket.receive(), SILENT_SECONDS)
        except TimeoutError:
            await socket.close(TRY_AGAIN, "nothing came for a while")
            return
        if message["type"] == "websocket.disconnect":
            return
        if monotonic() - checked >= CHECK_SECONDS:
            await run_in_threadpool(partial(recorder.check, again=True))
            checked = monotonic()
        reply = await _handle(message, stream, recorder)
        if reply["type"] == "saved":
            live.begin_captions(recorder.transcript_id)
        await socket.send_json(reply)
        if reply["type"] == "stopped":
            await socket.close()
            return


async def _handle(message: Any, stream: Stream, recorder: _Recorder) -> dict[str, Any]:
    data: bytes | None = message.get("bytes")
    if data is not None:
        if len(data) < OFFSET_BYTES:
            raise InvalidInput("A piece begins with its offset, in 8 bytes.")
        offset = int.from_bytes(data[:OFFSET_BYTES], "big")
        # Its own thread, not one of those for requests: the disk may be slow
        kept = await asyncio.to_thread(stream.append, offset, data[OFFSET_BYTES:], recorder.admit)
        return {"type": "saved" if kept >= offset else "ready", "offset": kept}
    kind = _kind(message.get("text") or "")
    if kind == "stop":
        await asyncio.to_thread(stream.stop)
        return {"type": "stopped"}
    if kind == "ping":
        await asyncio.to_thread(stream.keep_alive)
        return {"type": "pong"}
    raise InvalidInput('A message is a piece, {"type": "stop"} or {"type": "ping"}.')


def _kind(text: str) -> str:
    with suppress(ValueError, AttributeError):
        return str(json.loads(text).get("type"))
    return ""


async def _refuse(
    socket: WebSocket, error: ReflectorError | OSError | SQLAlchemyError, kept: int | None = None
) -> None:
    """Say what is wrong, and close: the client keeps what was not acknowledged.

    `kept` is what a recording has of this recorder that was stopped.
    """
    if isinstance(error, SQLAlchemyError):
        log.warning("a recording could not be continued: %s", error)
        sentence, status = NO_DATABASE, Unavailable.http_status
    elif isinstance(error, OSError):
        log.error("a piece of a recording could not be kept: %s", error)
        sentence = FULL if is_out_of_space(error) else f"The server cannot write: {error.strerror}."
        status = OutOfSpace.http_status
    else:
        sentence, status = error.message, error.http_status
    message = {"type": "error", "detail": sentence, "status": status}
    await socket.send_json(message if kept is None else {**message, "offset": kept})
    await socket.close(NOT_ALLOWED if is_final(status) else TRY_AGAIN)
