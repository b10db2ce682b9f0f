"""The WebSocket of one transcript: what was found so far, then what is being found."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from reflector.api.deps import ServicesDep, find, services_of
from reflector.db.models import Event
from reflector.events import Message, Subscription
from reflector.events.names import EventName
from reflector.services import Services

router = APIRouter(tags=["transcripts"])

REPLAYED = [name.value for name in EventName if name.is_replayed]


@router.get("/transcripts/{transcript_id}/events")
def transcript_get_websocket_events(services: ServicesDep, transcript_id: str) -> Response:
    """Over plain HTTP: 426, this is a WebSocket."""
    with services.db.read() as session:
        find(session, transcript_id)
    raise HTTPException(426, "This path is a WebSocket", headers={"Upgrade": "websocket"})


@router.websocket("/transcripts/{transcript_id}/events")
async def transcript_events_websocket(socket: WebSocket, transcript_id: str) -> None:
    services = services_of(socket)
    # Subscribed before the replay is read, so that nothing falls in between; what comes both ways
    # is known by its id.
    subscription = services.bus.subscribe(transcript_id)
    try:
        replay = await run_in_threadpool(_replay, services, transcript_id)
        if replay is None:
            await socket.send_denial_response(_not_found())
            return
        await socket.accept()
        await _serve(socket, replay, subscription)
    finally:
        services.bus.unsubscribe(transcript_id, subscription)


def _not_found() -> Response:
    return Response('{"detail":"Transcript not found"}', 404, media_type="application/json")


def _replay(services: Services, transcript_id: str) -> list[Message] | None:
    with services.db.read() as session:
        try:
            transcript = find(session, transcript_id)
        except HTTPException:
            return None
        rows = session.scalars(
            select(Event)
            .where(
                Event.transcript_id == transcript_id,
                Event.run == (transcript.shown_run or 0),
                Event.name.in_(REPLAYED),
            )
            .order_by(Event.id)
        ).all()
        return [Message(row.name, row.data, row.id) for row in rows]


async def _serve(socket: WebSocket, replay: list[Message], subscription: Subscription) -> None:
    reader = asyncio.create_task(_until_closed(socket))
    writer = asyncio.create_task(_send(socket, replay, subscription))
    done, pending = await asyncio.wait([reader, writer], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in [*done, *pending]:
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await task


async def _until_closed(socket: WebSocket) -> None:
    while True:
        message: Any = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _send(socket: WebSocket, replay: list[Message], subscription: Subscription) -> None:
    sent = {message.id for message in replay}
    for message in replay:
        await socket.send_json(message.wire())
    while (live := await subscription.next()) is not None:
        if live.id is None or live.id not in sent:
            await socket.send_json(live.wire())
    await socket.close(1013, "too slow: connect again for a replay")
