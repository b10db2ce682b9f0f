"""Notes at moments of a recording: one's own, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.accounts import users
from reflector.db.models import Note, User
from reflector.notes import routes
from reflector.services import Services
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)


@pytest.fixture
def anna(services: Services) -> Person:
    return make_person(services, "anna@example.org")


@pytest.fixture
def path(services: Services, anna: Person) -> str:
    transcript = make_transcript(services, user_id=anna.id, share_mode="semi-private")
    return f"/v1/transcripts/{transcript}/notes"


def note(client: TestClient, path: str, person: Person, at: float, text: str = "") -> Any:
    return client.post(path, json={"at": at, "text": text}, headers=person.bearer)


def test_notes_stand_in_the_order_of_their_moments(
    client: TestClient, path: str, anna: Person
) -> None:
    note(client, path, anna, 75.5, " check the budget \n")
    note(client, path, anna, 3)
    found = client.get(path, headers=anna.bearer).json()
    assert [(each["at"], each["text"]) for each in found] == [(3, ""), (75.5, "check the budget")]


def test_nobody_sees_or_changes_notes_of_others(
    client: TestClient, services: Services, path: str, anna: Person
) -> None:
    bert = make_person(services, "bert@example.org")
    theirs = note(client, path, anna, 1, "private").json()["id"]
    assert client.get(path, headers=bert.bearer).json() == []
    for method in ("PATCH", "DELETE"):
        answer = client.request(method, f"{path}/{theirs}", json={"text": "x"}, headers=bert.bearer)
        assert answer.status_code == 404
    other = make_transcript(services, user_id=anna.id)
    moved = client.delete(f"/v1/transcripts/{other}/notes/{theirs}", headers=anna.bearer)
    assert moved.status_code == 404
    assert client.get(path, headers=anna.bearer).json()[0]["text"] == "private"


def test_note_is_changed_and_removed(client: TestClient, path: str, anna: Person) -> None:
    made = note(client, path, anna, 1, "a").json()["id"]
    changed = client.patch(f"{path}/{made}", json={"text": "b"}, headers=anna.bearer)
    assert changed.json() == {"id": made, "at": 1, "text": "b"}
    assert client.delete(f"{path}/{made}", headers=anna.bearer).status_code == 200
    assert client.get(path, headers=anna.bearer).json() == []


@pytest.mark.parametrize("at", [-1, 1e9, "x", None, "NaN"])
def test_moment_outside_any_recording_is_refused(
    client: TestClient, path: str, anna: Person, at: Any
) -> None:
    answer = client.post(path, json={"at": at}, headers=anna.bearer)
    assert answer.status_code == 422


def test_too_many_and_too_long_notes_are_refused(
    client: TestClient, path: str, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert note(client, path, anna, 1, "x" * 10_001).status_code == 422
    monkeypatch.setattr(routes, "MOST_NOTES", 1)
    assert note(client, path, anna, 1).status_code == 200
    assert "already" in note(client, path, anna, 2).json()["detail"]


def test_account_that_is_removed_takes_its_notes_along(
    client: TestClient, services: Services, path: str, anna: Person
) -> None:
    bert = make_person(services, "bert@example.org")
    assert note(client, path, bert, 1, "mine").status_code == 200
    with services.db.write() as session:
        heir = session.get_one(User, anna.id)
        users.remove(session, session.get_one(User, bert.id), heir)
        assert session.query(Note).count() == 0


def test_recording_that_went_between_look_and_write_is_a_conflict(
    client: TestClient, path: str, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "get_authorized_transcript", lambda *_: None)
    answer = note(client, "/v1/transcripts/gone/notes", anna, 1)
    assert (answer.status_code, "meanwhile" in answer.json()["detail"]) == (409, True)
