"""Serve `WS /v1/realtime`, OpenAI's realtime transcription (its API reference, "Realtime")."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any, cast

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from reflector.speech_service.limiter import RealtimeSlots
from reflector.speech_service.realtime.session import (
    Event,
    RealtimeSession,
    error_event,
    new_id,
)
from reflector.speech_service.routes.deps import INVALID_KEY, has_key
from reflector.speech_service.routes.errors import answer
from reflector.speech_service.work import SpeechWork

log = logging.getLogger(__name__)

router = APIRouter()

# A browser cannot send headers, so its key is a sub-protocol
PROTOCOL, KEY_PROTOCOL = "realtime", "openai-insecure-api-key."
FULL = 1013
END = object()
# More waits in the network
MOST_WAITING = 256


@router.websocket("/v1/realtime")
async def realtime(socket: WebSocket) -> None:
    """Transcribe what a client says, while it says it."""
    work = cast(SpeechWork, socket.app.state.work)
    slots = cast(RealtimeSlots, socket.app.state.realtime)
    offered = socket.scope.get("subprotocols") or []
    keys = [name.removeprefix(KEY_PROTOCOL) for name in offered if name.startswith(KEY_PROTOCOL)]
    authorization = f"Bearer {keys[0]}" if keys else socket.headers.get("authorization", "")
    if not has_key(work.settings, authorization):
        await socket.send_denial_response(answer(401, INVALID_KEY))
        return
    await socket.accept(PROTOCOL if PROTOCOL in offered else None)
    with suppress(WebSocketDisconnect, RuntimeError):
        if not slots.take():
            sentence = f"{slots.most} realtime sessions are running already. Try again later."
            await _send(socket, [error_event(sentence, "rate_limit_exceeded", "server_error")])
            await socket.close(FULL)
            return
        try:
            work.settings.scratch_dir.mkdir(parents=True, exist_ok=True)
            session = RealtimeSession(work.engines.transcriber, work.settings.scratch_dir)
            await _run(socket, session)
        finally:
            slots.give_back()


async def _run(socket: WebSocket, session: RealtimeSession) -> None:
    """Answer the client's events in their order; recognise when none waits."""
    await _send(socket, session.begin())
    waiting: asyncio.Queue[Any] = asyncio.Queue(MOST_WAITING)
    reading = asyncio.create_task(_read(socket, waiting))
    try:
        while (event := await waiting.get()) is not END:
            # A commit recognises, so it is no work for the event loop
            await _send(socket, await asyncio.to_thread(session.handle, event))
            if waiting.empty() and session.has_work:
                await _send(socket, await asyncio.to_thread(session.recognise))
    finally:
        reading.cancel()


async def _read(socket: WebSocket, waiting: asyncio.Queue[Any]) -> None:
    """Queue what the client sends, and END after it."""
    try:
        while True:
            text = await socket.receive_text()
            try:
                event = json.loads(text)
            except ValueError:
                event = None
            await waiting.put(event)
    except (WebSocketDisconnect, RuntimeError, KeyError):
        await waiting.put(END)


async def _send(socket: WebSocket, events: list[Event]) -> None:
    for event in events:
        await socket.send_json({"event_id": new_id("event"), **event})
