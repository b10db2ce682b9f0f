"""Open WebSockets when rights end, and edits by two people at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from reflector.accounts import identity, passwords, users
from reflector.db.models import User
from reflector.events import routes
from reflector.http import sockets
from reflector.services import Services
from tests.api.people import PASSWORD, SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1000)
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.2)


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)


@pytest.fixture
def owner(services: Services) -> Person:
    return make_person(services, "anna@example.org", passwords.hash_password(PASSWORD))


def bearer(person: Person) -> list[str]:
    return ["bearer", person.bearer["Authorization"].removeprefix("Bearer ")]


def until_closed(socket: Any) -> int:
    """The code of the close; what comes before is left aside."""
    while True:
        try:
            socket.receive_json()
        except WebSocketDisconnect as closed:
            return closed.code


def make_private(client: TestClient, owner: Person, path: str) -> None:
    client.patch(path, json={"share_mode": "private"}, headers=owner.bearer)


def delete(client: TestClient, owner: Person, path: str) -> None:
    client.delete(path, headers=owner.bearer)


@pytest.mark.parametrize("end", [make_private, delete])
def test_stranger_sees_nothing_after_the_transcript_is_theirs_no_more(
    client: TestClient,
    services: Services,
    owner: Person,
    end: Callable[[TestClient, Person, str], None],
) -> None:
    transcript = make_transcript(services, user_id=owner.id, share_mode="public")
    path = f"/v1/transcripts/{transcript}"
    with client.websocket_connect(f"{path}/events") as stranger:
        assert stranger.receive_json()["event"] == "STATUS"
        end(client, owner, path)
        assert until_closed(stranger) == sockets.NOT_ALLOWED


def test_sockets_end_with_the_login_they_came_with(
    client: TestClient, services: Services, owner: Person
) -> None:
    transcript = make_transcript(services, user_id=owner.id)
    paths = [f"/v1/transcripts/{transcript}/events", "/v1/events"]
    client.post("/login", data={"email": owner.email, "password": PASSWORD})
    with (
        client.websocket_connect(paths[0], bearer(owner)) as one,
        client.websocket_connect(paths[1], bearer(owner)) as two,
    ):
        assert one.receive_json()["event"] == "STATUS"
        client.post("/account/sign-out-everywhere")
        assert until_closed(one) == sockets.NOT_ALLOWED
        assert until_closed(two) == sockets.NOT_ALLOWED


def test_account_disabled_from_the_command_line_is_noticed_by_the_clock(
    client: TestClient, services: Services, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "CHECK_SECONDS", 0.3)
    transcript = make_transcript(services, user_id=owner.id)
    with client.websocket_connect(f"/v1/transcripts/{transcript}/events", bearer(owner)) as socket:
        assert socket.receive_json()["event"] == "STATUS"
        with services.db.write() as session:
            users.disable(session, session.get_one(User, owner.id))
        assert until_closed(socket) == sockets.NOT_ALLOWED


def test_viewer_who_may_still_look_goes_on(
    client: TestClient, services: Services, owner: Person
) -> None:
    transcript = make_transcript(services, user_id=owner.id)
    path = f"/v1/transcripts/{transcript}"
    with client.websocket_connect(f"{path}/events", bearer(owner)) as socket:
        make_private(client, owner, path)
        wait_until(lambda: socket.receive_json()["event"] == "CHANGED", "the change is told")


def test_names_by_two_people_at_once_are_both_kept(
    client: TestClient, services: Services, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As two pages do it: each sends the one name that it knows of."""
    monkeypatch.setattr(identity, "REMEMBER_SECONDS", 0.0)
    path = f"/v1/transcripts/{make_transcript(services, user_id=owner.id)}"
    for speaker, name in ((0, "Anna"), (1, "Bert")):
        made = client.post(
            f"{path}/participants", json={"speaker": speaker, "name": name}, headers=owner.bearer
        )
        assert made.status_code == 200
    people = client.get(f"{path}/participants", headers=owner.bearer).json()
    assert [person["name"] for person in people] == ["Anna", "Bert"]


def test_whole_list_made_from_an_old_one_is_refused(
    client: TestClient, services: Services, owner: Person
) -> None:
    path = f"/v1/transcripts/{make_transcript(services, user_id=owner.id)}"
    base = client.get(path, headers=owner.bearer).json()["change_seq"]

    def save(name: str) -> int:
        people = [{"speaker": 0, "name": name}]
        body = {"participants": people, "base_change_seq": base}
        return client.patch(path, json=body, headers=owner.bearer).status_code

    assert save("Anna") == 200
    assert save("Bert") == 409
    people = client.get(f"{path}/participants", headers=owner.bearer).json()
    assert [person["name"] for person in people] == ["Anna"]
