"""Serve WebSockets: one transcript as it fills, and the events of a user's transcripts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from reflector.accounts.access import Caller, get_authorized_transcript
from reflector.accounts.identity import Credentials
from reflector.db.models import Event, Transcript
from reflector.errors import Forbidden, NotFound, ReflectorError, Unauthenticated
from reflector.events import Message, Subscription, schemas, transcript_channel, user_channel
from reflector.events.bus import Gap
from reflector.events.names import EventName
from reflector.http.deps import AnyCaller, ServicesDep, services_of
from reflector.http.errors import answer
from reflector.http.sockets import (
    CHECK_SECONDS,
    NOT_ALLOWED,
    TRY_AGAIN,
    accept,
    socket_credentials,
)
from reflector.services import Services

router = APIRouter()

NOT_SENT = (EventName.STATUS, EventName.LIVE_KEPT)
REPLAYED = [name.value for name in EventName if name.is_replayed]
HEARTBEAT_SECONDS = 25.0
UPGRADE = {"Upgrade": "websocket"}


@router.get("/transcripts/{transcript_id}/events", tags=["transcripts"])
def transcript_get_websocket_events(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.TranscriptWsEvent:
    """Answer 426 to plain HTTP: this path is a WebSocket."""
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id)
    raise HTTPException(426, "This path is a WebSocket", headers=UPGRADE)


@router.get("/events", tags=["user"])
def user_get_websocket_events() -> schemas.UserWsEvent:
    """Answer 426 to plain HTTP: this path is a WebSocket."""
    raise HTTPException(426, "This path is a WebSocket", headers=UPGRADE)


@router.websocket("/transcripts/{transcript_id}/events")
async def transcript_events_websocket(
    socket: WebSocket, transcript_id: str, since: int | None = None
) -> None:
    """Send the events so far, then new ones as they happen.

    Extra: `since`, the `seq` of the last message that the client has, asks for all stored events
    after it.
    """
    services = services_of(socket)
    channel = transcript_channel(transcript_id)
    # Subscribe before reading the replay, so that no event is missed in between. Events that come
    # both ways are recognised by their number.
    subscription = services.bus.subscribe(channel)
    try:
        try:
            viewer = _Viewer(services, socket_credentials(socket), transcript_id)
            replay = await run_in_threadpool(viewer.replay, since)
        except ReflectorError as error:
            await socket.send_denial_response(answer(error))
            return
        await accept(socket)
        await _serve(socket, _send_transcript(socket, viewer, replay, subscription))
    finally:
        services.bus.unsubscribe(channel, subscription)


@router.websocket("/events")
async def user_events_websocket(socket: WebSocket) -> None:
    """Send the events of the caller's transcripts from now on."""
    services = services_of(socket)
    credentials = socket_credentials(socket)
    try:
        caller = await run_in_threadpool(services.identity.resolve, credentials)
        if caller.user_id is None:
            raise Forbidden("Not authenticated")
    except ReflectorError as error:
        await socket.send_denial_response(answer(error))
        return
    channel = user_channel(caller.user_id)
    subscription = services.bus.subscribe(channel)
    try:
        await accept(socket)
        still = partial(_still, services, credentials, caller)
        await _serve(socket, _send_user(socket, still, subscription))
    finally:
        services.bus.unsubscribe(channel, subscription)


def _still(services: Services, credentials: Credentials, caller: Caller) -> None:
    """Raise Unauthenticated if the credentials are no longer valid for this caller."""
    if services.identity.resolve(credentials, again=True).user_id != caller.user_id:
        raise Unauthenticated("Not authenticated")


class _Viewer:
    """One socket's view of one transcript: what it may see, and what it has seen."""

    def __init__(self, services: Services, credentials: Credentials, transcript_id: str) -> None:
        self._services, self._credentials, self._id = services, credentials, transcript_id
        self.seen = 0
        self._run: int | None = None
        self._status: str | None = None

    def replay(self, since: int | None) -> list[Message]:
        """Return the stored events, or those after `since`, and then the current status."""
        caller = self._services.identity.resolve(self._credentials)
        with self._services.db.read() as session:
            transcript = get_authorized_transcript(session, caller, self._id)
            after = since if since is not None and self._knows(session, transcript, since) else None
            messages = self._events(session, transcript, after)
            self._run = transcript.shown_run
        return [*messages, self._status_of(transcript)]

    def check(self) -> None:
        """Check that this viewer may still see the transcript.

        Raises Forbidden, NotFound or Unauthenticated otherwise.
        """
        caller = self._services.identity.resolve(self._credentials, again=True)
        with self._services.db.read() as session:
            get_authorized_transcript(session, caller, self._id)

    def catch_up(self) -> list[Message]:
        """Return what was stored since the last message, after live messages may have been missed.

        Return all events again if another run has come on show since.
        """
        caller = self._services.identity.resolve(self._credentials, again=True)
        with self._services.db.read() as session:
            transcript = get_authorized_transcript(session, caller, self._id)
            same = transcript.shown_run == self._run
            messages = self._events(session, transcript, self.seen if same else None)
            self._run = transcript.shown_run
            changed = transcript.status != self._status
        return [*messages, *([self._status_of(transcript)] if changed else [])]

    def note(self, message: Message) -> bool:
        """Record `message` as seen. Return whether the viewer did not have it yet."""
        if message.name == EventName.STATUS:
            self._status = message.data.get("value")
        if message.id is None:
            return True
        if message.id <= self.seen:
            return False
        self.seen = message.id
        return True

    def _status_of(self, transcript: Transcript) -> Message:
        self._status = transcript.status
        return Message(EventName.STATUS, {"value": transcript.status})

    def _knows(self, session: Session, transcript: Transcript, since: int) -> bool:
        """Return whether event `since` belongs to the result on show.

        Then only later events are new to the client. Otherwise the client saw another result and
        needs all events of this one.
        """
        query = select(Event.id).where(
            Event.id == min(max(since, 0), 2**63 - 1),
            Event.transcript_id == self._id,
            Event.run == (transcript.shown_run or 0),
        )
        return session.scalar(query) is not None

    def _events(self, session: Session, transcript: Transcript, after: int | None) -> list[Message]:
        # Live text stays until the final text is there
        is_shown = or_(Event.run == (transcript.shown_run or 0), Event.name == EventName.LIVE)
        query = select(Event.id, Event.name, Event.data).where(
            Event.transcript_id == self._id, is_shown
        )
        if after is None:
            query = query.where(Event.name.in_(REPLAYED))
        else:
            query = query.where(Event.id > after, Event.name.not_in(NOT_SENT))
        rows = session.execute(query.order_by(Event.id)).all()
        self.seen = max([self.seen, *(row.id for row in rows)])
        return [Message(row.name, row.data, row.id) for row in rows]


async def _serve(socket: WebSocket, sending: Any) -> None:
    reader = asyncio.create_task(_until_closed(socket))
    writer = asyncio.create_task(sending)
    done, pending = await asyncio.wait([reader, writer], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in [*done, *pending]:
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await task


async def _until_closed(socket: WebSocket) -> None:
    """Wait until the client disconnects; ignore what it sends."""
    while True:
        message: Any = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _send_transcript(
    socket: WebSocket, viewer: _Viewer, replay: list[Message], subscription: Subscription
) -> None:
    for message in replay:
        await socket.send_text(message.text)
    checked = monotonic()
    while (live := await _next(subscription)) is not None:
        is_due = monotonic() - checked >= CHECK_SECONDS
        try:
            if isinstance(live, Gap):
                messages = await run_in_threadpool(viewer.catch_up)
            else:
                # The regular check finds changes without an event, such as a password changed from
                # the command line
                if is_due or live.name == EventName.CHANGED:
                    await run_in_threadpool(viewer.check)
                messages = [live] if viewer.note(live) else []
        except (Forbidden, NotFound, Unauthenticated):
            await socket.close(NOT_ALLOWED, "not yours to see any more")
            return
        except ReflectorError:
            break  # rights unknown for now: the client reconnects
        if is_due or isinstance(live, Gap):
            checked = monotonic()
        for message in messages:
            await socket.send_text(message.text)
    await socket.close(TRY_AGAIN, "connect again for what you missed")


async def _send_user(
    socket: WebSocket, still: Callable[[], None], subscription: Subscription
) -> None:
    checked = monotonic()
    while (live := await _next(subscription)) is not None:
        if isinstance(live, Gap) or monotonic() - checked >= CHECK_SECONDS:
            try:
                await run_in_threadpool(still)
            except Unauthenticated:
                await socket.close(NOT_ALLOWED, "log in again")
                return
            except ReflectorError:
                break
            checked = monotonic()
        if not isinstance(live, Gap):
            await socket.send_text(live.text)
    await socket.close(TRY_AGAIN, "too slow: connect again")


HEARTBEAT = Message(EventName.HEARTBEAT, {})


async def _next(subscription: Subscription) -> Message | Gap | None:
    """Return the next message, or a heartbeat if none comes in time.

    It tells the page that the connection is alive, because browsers do not show pings to pages.
    """
    try:
        return await asyncio.wait_for(subscription.next(), HEARTBEAT_SECONDS)
    except TimeoutError:
        return HEARTBEAT
