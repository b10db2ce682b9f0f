"""What a WebSocket says to who connects, connects again, or was away while the relay was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Event, Status, Transcript
from reflector.events import Message, transcript_channel
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.services import Services, open_services
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import SERVERS, OpenServices
from tests.waiting import wait_until


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)


@pytest.fixture
def transcript_id(services: Services) -> str:
    return make_transcript(services, shown_run=1, last_run=1)


def record(services: Services, transcript_id: str, *names: EventName) -> list[int]:
    """Store events as the pipeline does, and tell of them; their numbers."""
    with services.db.write() as session:
        transcript = session.get_one(Transcript, transcript_id, with_for_update=True)
        events = Outbox(services.bus, session, transcript)
        for name in names:
            events.add(name, {"title": name.value})
        session.flush()
        return [event.id for event, _ in events._stored]


def received(socket: Any, count: int) -> list[tuple[str, int | None]]:
    messages = [socket.receive_json() for _ in range(count)]
    return [(message["event"], message.get("seq")) for message in messages]


def test_replay_leaves_out_text_and_status_and_ends_with_the_status_now(
    client: TestClient, services: Services, transcript_id: str
) -> None:
    a, _, _, d = record(services, transcript_id, EventName.DURATION, EventName.TRANSCRIPT,
                        EventName.STATUS, EventName.FINAL_TITLE)  # fmt: skip
    with client.websocket_connect(f"/v1/transcripts/{transcript_id}/events") as socket:
        assert received(socket, 3) == [("DURATION", a), ("FINAL_TITLE", d), ("STATUS", None)]
        (e,) = record(services, transcript_id, EventName.TRANSCRIPT)
        assert received(socket, 1) == [("TRANSCRIPT", e)]


def test_since_gives_what_came_after_with_text(
    client: TestClient, services: Services, transcript_id: str
) -> None:
    a, b, c = record(services, transcript_id, EventName.DURATION, EventName.TRANSCRIPT,
                     EventName.FINAL_TITLE)  # fmt: skip
    path = f"/v1/transcripts/{transcript_id}/events"
    with client.websocket_connect(f"{path}?since={a}") as socket:
        assert received(socket, 3) == [("TRANSCRIPT", b), ("FINAL_TITLE", c), ("STATUS", None)]
    with client.websocket_connect(f"{path}?since={c}") as socket:
        assert received(socket, 1) == [("STATUS", None)]


def test_kept_live_text_is_not_sent_and_read_only_by_who_may_correct_it(
    client: TestClient, services: Services
) -> None:
    owner, other = (make_person(services, f"{name}@example.org") for name in ("anna", "ben"))
    mine = make_transcript(services, user_id=owner.id, share_mode="public", shown_run=1, last_run=1)
    line = {"text": "As it was heard.", "start": 0.0, "end": 1.0, "track": None}
    (a,) = record(services, mine, EventName.DURATION)
    with services.db.write() as session:
        session.add(Event(transcript_id=mine, run=1, name="LIVE_KEPT", data={"line": line}))
    (c,) = record(services, mine, EventName.FINAL_TITLE)
    with client.websocket_connect(f"/v1/transcripts/{mine}/events?since={a}") as socket:
        assert received(socket, 2) == [("FINAL_TITLE", c), ("STATUS", None)]
    path = f"/v1/transcripts/{mine}/live-text"
    assert client.get(path, headers=owner.bearer).json() == [line]
    for stranger in (other.bearer, {}):
        assert client.get(path, headers=stranger).json() == []
    running = {**line, "text": "As it is heard."}
    with services.db.write() as session:
        session.add(Event(transcript_id=mine, run=1, name="LIVE", data={"line": running}))
    assert client.get(path, headers=other.bearer).json() == [running]
    assert client.get(path, headers=owner.bearer).json() == [running], "not twice"


@pytest.mark.parametrize("since", [0, -5, 10**18, 10**30])
def test_since_of_something_else_gives_everything(
    client: TestClient, services: Services, transcript_id: str, since: int
) -> None:
    other = make_transcript(services, shown_run=1)
    record(services, other, EventName.DURATION)
    (a,) = record(services, transcript_id, EventName.FINAL_TITLE)
    path = f"/v1/transcripts/{transcript_id}/events"
    with client.websocket_connect(f"{path}?since={since}") as socket:
        assert received(socket, 2) == [("FINAL_TITLE", a), ("STATUS", None)]


def test_another_result_on_show_is_given_whole(
    client: TestClient, services: Services, transcript_id: str
) -> None:
    (a,) = record(services, transcript_id, EventName.FINAL_TITLE)
    with services.db.write() as session:
        session.get_one(Transcript, transcript_id).shown_run = 2
        session.add(Event(transcript_id=transcript_id, run=2, name="FINAL_TITLE", data={}))
    with client.websocket_connect(f"/v1/transcripts/{transcript_id}/events?since={a}") as socket:
        names = [name for name, _ in received(socket, 2)]
    assert names == ["FINAL_TITLE", "STATUS"]


def test_gap_in_the_relay_is_filled_from_the_database(
    client: TestClient, services: Services, transcript_id: str
) -> None:
    with client.websocket_connect(f"/v1/transcripts/{transcript_id}/events") as socket:
        assert received(socket, 1) == [("STATUS", None)]
        with services.db.write() as session:  # stored, but the message was lost
            event = Event(transcript_id=transcript_id, run=1, name="FINAL_TITLE", data={})
            session.add(event)
            session.get_one(Transcript, transcript_id).status = Status.ENDED
            session.flush()
            number = event.id
        services.bus.tell_gap()
        assert received(socket, 2) == [("FINAL_TITLE", number), ("STATUS", None)]


def test_message_that_comes_twice_is_sent_once(
    client: TestClient, services: Services, transcript_id: str
) -> None:
    with client.websocket_connect(f"/v1/transcripts/{transcript_id}/events") as socket:
        received(socket, 1)
        (a,) = record(services, transcript_id, EventName.FINAL_TITLE)
        services.bus.publish(transcript_channel(transcript_id), Message("FINAL_TITLE", {}, a))
        (b,) = record(services, transcript_id, EventName.DURATION)
        assert received(socket, 2) == [("FINAL_TITLE", a), ("DURATION", b)]


def test_owner_is_told_of_own_transcripts_only(client: TestClient, services: Services) -> None:
    anna, ben = make_person(services, "anna@example.org"), make_person(services, "ben@example.org")
    protocols = ["bearer", anna.bearer["Authorization"].removeprefix("Bearer ")]
    with client.websocket_connect("/v1/events", subprotocols=protocols) as socket:
        client.post("/v1/transcripts", json={"name": "x"}, headers=ben.bearer)
        made = client.post("/v1/transcripts", json={"name": "x"}, headers=anna.bearer).json()["id"]
        path = f"/v1/transcripts/{made}"
        client.delete(path, headers=anna.bearer)
        client.post(f"{path}/restore", headers=anna.bearer)
        with services.db.write() as session:
            transcript = session.get_one(Transcript, made)
            transcript.shown_run = 1
            events = Outbox(services.bus, session, transcript)
            events.add(EventName.DURATION, {"duration": 5.0})
            events.add(EventName.FINAL_TITLE, {"title": "t"})
            events.status(Status.ENDED)
        got = [socket.receive_json() for _ in range(6)]
    assert got == [
        {"event": "TRANSCRIPT_CREATED", "data": {"id": made}},
        {"event": "TRANSCRIPT_DELETED", "data": {"id": made}},
        {"event": "TRANSCRIPT_RESTORED", "data": {"id": made}},
        {"event": "TRANSCRIPT_DURATION", "data": {"id": made, "duration": 5.0}},
        {"event": "TRANSCRIPT_FINAL_TITLE", "data": {"id": made, "title": "t"}},
        {"event": "TRANSCRIPT_STATUS", "data": {"id": made, "value": "ended"}},
    ]


@pytest.fixture
def elsewhere(services: Services) -> Iterator[Services]:
    """The same database and broker as another process sees them."""
    opened = open_services(services.settings)
    yield opened
    opened.close()


@pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
def test_events_of_another_process_arrive_and_survive_the_brokers_restart(
    client: TestClient, services: Services, transcript_id: str, elsewhere: Services, stack: Any
) -> None:
    with client.websocket_connect(f"/v1/transcripts/{transcript_id}/events") as socket:
        received(socket, 1)
        (a,) = record(elsewhere, transcript_id, EventName.DURATION)
        assert received(socket, 1) == [("DURATION", a)]
        stack.redis.server.kill()
        relay = services.relay
        assert relay is not None
        wait_until(lambda: not relay.connected.is_set(), "the loss is noticed", 20)
        (b,) = record(elsewhere, transcript_id, EventName.FINAL_TITLE)  # told to nobody
        stack.redis.server.start()
        assert received(socket, 1) == [("FINAL_TITLE", b)]
        wait_until(lambda: _talks(elsewhere), "the other process talks again", 20)
        (c,) = record(elsewhere, transcript_id, EventName.TOPIC)
        assert received(socket, 1) == [("TOPIC", c)]


def _talks(services: Services) -> bool:
    assert services.relay is not None
    return time.monotonic() > services.relay._silent_until


def test_event_of_a_change_that_was_rolled_back_is_told_to_nobody(
    client: TestClient, services: Services
) -> None:
    transcript_id = make_transcript(services)
    address = f"/v1/transcripts/{transcript_id}/events"

    def fail() -> None:
        with services.db.write() as session:
            transcript = session.get_one(Transcript, transcript_id)
            Outbox(services.bus, session, transcript).add(EventName.FINAL_TITLE, {"title": "never"})
            raise RuntimeError

    with client.websocket_connect(address) as socket:
        with pytest.raises(RuntimeError):
            fail()
        record(services, transcript_id, EventName.DURATION)
        assert [socket.receive_json()["event"] for _ in range(2)][-1] == "DURATION"
