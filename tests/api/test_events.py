"""The event bus and its WebSocket."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from reflector.events import Bus, Message, transcript_channel
from reflector.events.bus import QUEUE_LIMIT
from reflector.services import Services
from tests.server import running_server


def test_unknown_transcript_is_refused_at_the_handshake(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect("/v1/transcripts/nobody/events"),
    ):
        pass
    assert refused.value.status_code == 404


def test_plain_http_on_the_events_path_says_what_it_is(client: TestClient) -> None:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    answer = client.get(f"/v1/transcripts/{transcript_id}/events")
    assert answer.status_code == 426


def test_every_viewer_gets_every_event(client: TestClient, services: Services) -> None:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    path = f"/v1/transcripts/{transcript_id}/events"
    with client.websocket_connect(path) as one, client.websocket_connect(path) as two:
        for number in range(3):
            message = Message("PROGRESS", {"value": number})
            services.bus.publish(transcript_channel(transcript_id), message)
        for viewer in (one, two):
            assert viewer.receive_json() == {"event": "STATUS", "data": {"value": "idle"}}
            got = [viewer.receive_json() for _ in range(3)]
            assert [m["data"]["value"] for m in got] == [0, 1, 2]


def test_viewer_that_leaves_takes_nobody_with_it(client: TestClient, services: Services) -> None:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    path = f"/v1/transcripts/{transcript_id}/events"
    with client.websocket_connect(path) as stays:
        with client.websocket_connect(path):
            pass
        message = Message("STATUS", {"value": "ended"})
        services.bus.publish(transcript_channel(transcript_id), message)
        assert stays.receive_json()["data"] == {"value": "idle"}
        assert stays.receive_json()["data"] == {"value": "ended"}


def test_slow_viewer_is_cut_off_and_the_others_go_on() -> None:
    async def scenario() -> tuple[object, int]:
        bus = Bus()
        slow, fast = bus.subscribe("t"), bus.subscribe("t")
        received = 0
        for number in range(QUEUE_LIMIT + 5):
            bus.publish("t", Message("PROGRESS", {"n": number}))
            await fast.next()
            received += 1
        return await slow.next(), received

    cut_off, received = asyncio.run(scenario())
    assert cut_off is None
    assert received == QUEUE_LIMIT + 5


def test_events_from_other_threads_arrive_in_order() -> None:
    async def scenario() -> list[int]:
        bus = Bus()
        subscription = bus.subscribe("t")

        def publish() -> None:
            for n in range(100):
                bus.publish("t", Message("X", {"n": n}))

        publisher = threading.Thread(target=publish)
        publisher.start()
        got = []
        for _ in range(100):
            message = await subscription.next()
            assert isinstance(message, Message)
            got.append(message.data["n"])
        publisher.join()
        return got

    assert asyncio.run(scenario()) == list(range(100))


def test_refused_websocket_is_no_error_of_the_server(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        address = server.url.replace("http", "ws").rstrip("/")
        for path in ("/v1/transcripts/nobody/events", "/v1/nothing"):
            with pytest.raises(InvalidStatus):
                connect(address + path)
        server.http.get("/health")
        assert "ERROR" not in server.log.read_text()
