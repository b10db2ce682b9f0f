"""Rooms: who sees, uses and changes them, and what their recordings are to whom."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.app import create_app
from reflector.db.models import Meeting, Room, now
from reflector.rooms.names import RESERVED
from tests.api.people import Person
from tests.api.world import ROOM as PLAIN
from tests.api.world import World as Plain
from tests.conftest import OpenServices

ROOM: dict[str, Any] = PLAIN | {
    "webhook_url": "https://hooks.example.org/in", "ics_url": "https://calendar.example.org/secret.ics",
    "email_transcript_to": "a@example.org,b@example.org",
}  # fmt: skip
CONCEALED = ["webhook_url", "webhook_secret", "ics_url", "email_transcript_to"]


class World(Plain):
    def make(self, person: Person | None = None, **values: Any) -> str:
        return super().make(person, **(ROOM | values))

    def names(self, person: Person | None) -> list[str]:
        return [each["name"] for each in self.ask(person, "GET", "rooms").json()["items"]]


@pytest.fixture
def world(open_with: OpenServices) -> World:
    return World(open_with)


# Statuses for: anonymous, another account, the owner
RIGHTS: list[tuple[str, str, list[int], list[int]]] = [
    ("GET", "rooms/{id}", [403, 403, 200], [200, 200, 200]),
    ("GET", "rooms/name/{name}", [200, 200, 200], [200, 200, 200]),
    ("PATCH", "rooms/{id}", [401, 403, 200], [401, 403, 200]),
    ("POST", "transcripts", [401, 403, 200], [401, 200, 200]),
    ("DELETE", "rooms/{id}", [401, 403, 200], [401, 403, 200]),
]


def test_rights(world: World) -> None:
    wrong = []
    for way in ("bearer", "key"):
        for is_shared in (False, True):
            name = f"room {way} {is_shared}"
            room = world.make(name=name, is_shared=is_shared)
            bodies = {"PATCH": {"zulip_stream": "x"}, "POST": {"name": "x", "room_id": room}}
            for method, path, private, shared in RIGHTS:
                url = f"/v1/{path.format(id=room, name=name)}"
                for person, expected in zip(
                    (None, world.ben, world.anna), shared if is_shared else private, strict=True
                ):
                    headers = getattr(person, way) if person else {}
                    answer = world.client.request(
                        method, url, json=bodies.get(method), headers=headers
                    )
                    if answer.status_code != expected:
                        wrong.append((method, url, way, answer.status_code, expected))
    assert wrong == []


def test_secrets_of_a_shared_room_are_its_owners(world: World) -> None:
    room = world.make(is_shared=True)
    for person in (None, world.ben):
        for path in (f"rooms/{room}", "rooms/name/board"):
            seen = world.ask(person, "GET", path).json()
            assert [seen[name] for name in CONCEALED] == [None] * 4
    (listed,) = world.ask(world.ben, "GET", "rooms").json()["items"]
    assert [listed[name] for name in CONCEALED] == [None] * 4
    own = world.ask(world.anna, "GET", f"rooms/{room}").json()
    assert own["webhook_secret"].startswith("whsec_")
    assert own["email_transcript_to"] == "a@example.org, b@example.org"


def test_list_has_own_and_shared_rooms_newest_first(world: World) -> None:
    world.make(name="one")
    world.make(name="two", is_shared=True)
    world.make(world.ben, name="three")
    assert world.names(world.anna) == ["two", "one"]
    assert world.names(world.ben) == ["three", "two"]
    assert world.ask(None, "GET", "rooms").status_code == 401
    page = world.ask(world.anna, "GET", "rooms?page=2&size=1").json()
    assert [each["name"] for each in page["items"]] == ["one"]
    assert (page["total"], page["pages"]) == (2, 2)
    assert world.ask(world.anna, "GET", "rooms?page=99999999999").json()["items"] == []


def test_anonymous_callers_see_shared_rooms_in_public_mode(open_with: OpenServices) -> None:
    world = World(open_with, PUBLIC_MODE=True)
    world.make(name="closed")
    shared = world.make(name="open", is_shared=True)
    assert world.names(None) == ["open"]
    # A recording without an owner could be changed by everybody
    body = {"name": "x", "room_id": shared}
    assert world.ask(None, "POST", "transcripts", body).status_code == 403


def test_name_that_is_taken_is_refused(world: World) -> None:
    world.make()
    other = world.make(world.ben, name="other")
    for person, method, path, body in [
        (world.ben, "POST", "rooms", {**ROOM, "name": "Board"}),
        (world.ben, "PATCH", f"rooms/{other}", {"name": "board"}),
    ]:
        answer = world.ask(person, method, path, body)
        assert (answer.status_code, answer.json()["detail"]) == (400, "Room name is not unique")
    assert world.ask(world.ben, "PATCH", f"rooms/{other}", {"name": "Other"}).status_code == 200


def test_name_that_two_take_at_once_is_given_once(world: World) -> None:
    with ThreadPoolExecutor(4) as threads:
        people = [world.anna, world.ben] * 2
        answers = list(threads.map(lambda person: world.ask(person, "POST", "rooms", ROOM), people))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


WRONG: list[dict[str, Any]] = [
    {"name": ""}, {"name": "a/b"}, {"name": ".."}, {"name": "a?b"}, {"name": "x" * 101}, {"name": "v1"},
    {"name": "Trash"}, {"name": "a\u202eb"}, {"name": "a\0b"}, {"room_mode": "huge"}, {"recording_type": "x"},
    {"recording_trigger": "x"}, {"platform": "zoom"}, {"webhook_url": "javascript:alert(1)"},
    {"ics_url": "file:///etc/passwd"}, {"ics_fetch_interval": 0}, {"email_transcript_to": "nobody"},
]  # fmt: skip


def test_what_cannot_be_a_room_is_refused(world: World) -> None:
    room = world.make()
    for wrong in WRONG:
        for method, path in (("POST", "rooms"), ("PATCH", f"rooms/{room}")):
            body = {**ROOM, **wrong} if method == "POST" else wrong
            answer = world.ask(world.anna, method, path, body)
            assert answer.status_code == 422, (method, wrong)


def test_no_room_hides_a_page_of_the_server(world: World) -> None:
    paths: set[str] = set()
    for route in create_app(world.services).routes:
        # FastAPI keeps the routes of a router that was included behind one of its own
        included = getattr(route, "effective_route_contexts", None)
        paths |= {each.path for each in included()} if included else {getattr(route, "path", "")}
    first = {path.split("/")[1] for path in paths if path.startswith("/")} - {""}
    assert {name for name in first if "{" not in name} <= RESERVED
    assert {"v1", "transcripts", "static"} <= first


def test_address_of_a_room_leads_to_what_was_recorded_there(world: World) -> None:
    room = world.make(name="Ärzte für Änne")
    name = "Ärzte für Änne"
    for written in (name, unicodedata.normalize("NFD", name), "ÄRZTE FüR ÄNNE"):
        answer = world.client.get(f"/{written}", follow_redirects=False)
        assert (answer.status_code, answer.headers.get("location")) == (303, f"/?room_id={room}")
    assert world.client.get("/Ärzte", follow_redirects=False).status_code == 404


def test_update_writes_what_is_sent(world: World) -> None:
    room = world.make(webhook_secret="mine")
    changed = world.ask(world.anna, "PATCH", f"rooms/{room}", {"is_shared": True}).json()
    assert (changed["is_shared"], changed["webhook_secret"]) == (True, "mine")
    body = {"ics_url": None, "webhook_url": "", "webhook_secret": None, "room_mode": None}
    emptied = world.ask(world.anna, "PATCH", f"rooms/{room}", body).json()
    assert (emptied["ics_url"], emptied["webhook_url"], emptied["webhook_secret"]) == (None,) * 3
    assert emptied["room_mode"] == "normal"


def test_recordings_of_a_deleted_room_stay_with_their_owners(world: World) -> None:
    room = world.make(is_shared=True)
    made = world.ask(world.ben, "POST", "transcripts", {"name": "x", "room_id": room}).json()
    assert (made["room_name"], made["share_mode"]) == ("board", "semi-private")
    with world.services.db.write() as session:
        session.add(
            Meeting(
                id="m", room_name="board", room_url="", host_room_url="", start_date=now(),
                end_date=now(), room_id=room,
            )
        )  # fmt: skip
    listed = world.ask(world.anna, "GET", f"transcripts?room_id={room}").json()
    assert [each["id"] for each in listed["items"]] == [made["id"]]
    assert world.ask(world.anna, "DELETE", f"rooms/{room}").json() == {"status": "ok"}
    assert world.ask(world.anna, "GET", f"rooms/{room}").status_code == 404
    kept = world.ask(world.ben, "GET", f"transcripts/{made['id']}").json()
    assert kept["room_name"] == "Deleted Room"
    assert world.ask(world.anna, "GET", f"transcripts?room_id={room}").json()["total"] == 0
    with world.services.db.read() as session:
        assert session.get(Meeting, "m") is None


def test_recording_in_a_room_of_ones_own_stays_private(world: World) -> None:
    room = world.make()
    made = world.ask(world.anna, "POST", "transcripts", {"name": "x", "room_id": room}).json()
    assert (made["room_id"], made["share_mode"]) == (room, "private")
    missing = world.ask(world.anna, "POST", "transcripts", {"name": "x", "room_id": "none"})
    assert missing.status_code == 404


def test_rooms_from_before_there_were_accounts_are_for_accounts(world: World) -> None:
    with world.services.db.write() as session:
        session.add(Room(id="old", name="old", user_id="", platform="daily", webhook_secret="s"))
    seen = [
        world.ask(person, "GET", f"rooms/{path}").json()["webhook_secret"]
        for person in (None, world.anna)
        for path in ("old", "name/old")
    ]
    assert seen == [None, None, "s", "s"]
    changes = [
        world.ask(person, "PATCH", "rooms/old", {"is_locked": True}).status_code
        for person in (None, world.anna)
    ]
    assert changes == [401, 200]


def test_rooms_without_accounts_are_everybodys(client: TestClient) -> None:
    room = client.post("/v1/rooms", json=ROOM).json()
    assert room["user_id"] == ""
    assert client.get("/v1/rooms").json()["total"] == 1
    made = client.post("/v1/transcripts", json={"name": "x", "room_id": room["id"]}).json()
    assert made["room_name"] == "board"
    assert client.patch(f"/v1/rooms/{room['id']}", json={"name": "b"}).json()["name"] == "b"
    assert client.delete(f"/v1/rooms/{room['id']}").status_code == 200
