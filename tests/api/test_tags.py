"""Tags are one's own: nobody else sees or changes them, and removing one removes nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.accounts import users
from reflector.db.models import User
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices, client_of


class World:
    def __init__(self, open_with: OpenServices) -> None:
        self.services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
        self.client = client_of(self.services)
        self.anna = make_person(self.services, "anna@example.org")
        self.ben = make_person(self.services, "ben@example.org")

    def make(self, person: Person, name: str, **values: Any) -> str:
        body = {"name": name, **values}
        answer = self.client.post("/v1/tags", json=body, headers=person.bearer)
        return str(answer.json()["id"])

    def names(self, person: Person) -> list[tuple[str, int]]:
        found = self.client.get("/v1/tags", headers=person.bearer).json()
        return [(tag["name"], tag["transcripts"]) for tag in found]

    def give(self, person: Person, transcript_id: str, tag_id: str) -> int:
        path = f"/v1/transcripts/{transcript_id}/tags/{tag_id}"
        return self.client.put(path, headers=person.bearer).status_code

    def found(self, person: Person, tag_id: str) -> set[str]:
        params = {"q": "", "tag": tag_id}
        answer = self.client.get("/v1/transcripts/search", params=params, headers=person.bearer)
        return {item["id"] for item in answer.json()["results"]}


@pytest.fixture
def world(open_with: OpenServices) -> World:
    return World(open_with)


def test_recordings_are_found_by_tag_and_lose_it_again(world: World) -> None:
    mine, other = (make_transcript(world.services, user_id=world.anna.id) for _ in range(2))
    tag = world.make(world.anna, "Budget", colour=3)
    assert world.give(world.anna, mine, tag) == world.give(world.anna, mine, tag) == 200
    assert world.found(world.anna, tag) == {mine}
    assert world.names(world.anna) == [("Budget", 1)]
    params = {"transcript": [mine, other]}
    given = world.client.get("/v1/tags/of", params=params, headers=world.anna.bearer).json()
    assert given == {mine: [tag]}
    world.client.delete(f"/v1/transcripts/{mine}/tags/{tag}", headers=world.anna.bearer)
    assert world.found(world.anna, tag) == set()


def test_nobody_sees_or_changes_tags_of_others(world: World) -> None:
    shared = make_transcript(world.services, user_id=world.anna.id, share_mode="public")
    tag = world.make(world.anna, "Private thought")
    world.give(world.anna, shared, tag)
    ben = world.ben.bearer
    assert world.names(world.ben) == []
    assert world.found(world.ben, tag) == set()
    assert world.client.get("/v1/tags/of", params={"transcript": shared}, headers=ben).json() == {}
    assert world.client.patch(f"/v1/tags/{tag}", json={"name": "x"}, headers=ben).status_code == 404
    assert world.client.delete(f"/v1/tags/{tag}", headers=ben).status_code == 404
    assert world.give(world.ben, shared, tag) == 404
    path = f"/v1/transcripts/{shared}/tags/{tag}"
    assert world.client.delete(path, headers=ben).status_code == 404
    assert world.names(world.anna) == [("Private thought", 1)]


def test_reader_tags_what_is_shared_with_them(world: World) -> None:
    shared = make_transcript(world.services, user_id=world.anna.id, share_mode="semi-private")
    private = make_transcript(world.services, user_id=world.anna.id)
    tag = world.make(world.ben, "To read")
    assert world.give(world.ben, shared, tag) == 200
    assert world.give(world.ben, private, tag) == 403
    assert world.names(world.anna) == []


def test_removed_tag_leaves_the_recordings(world: World) -> None:
    mine = make_transcript(world.services, user_id=world.anna.id)
    tag = world.make(world.anna, "Budget")
    world.give(world.anna, mine, tag)
    assert world.client.delete(f"/v1/tags/{tag}", headers=world.anna.bearer).status_code == 200
    assert world.client.get(f"/v1/transcripts/{mine}", headers=world.anna.bearer).status_code == 200
    assert world.names(world.anna) == []


def test_two_tags_of_one_name_are_refused(world: World) -> None:
    tag = world.make(world.anna, "Бюджет")
    again = world.client.post("/v1/tags", json={"name": " бюджет "}, headers=world.anna.bearer)
    assert again.status_code == 400
    assert "already" in again.json()["detail"]
    other = world.make(world.anna, "Other")
    rename = {"name": "БЮДЖЕТ"}
    path = f"/v1/tags/{other}"
    assert world.client.patch(path, json=rename, headers=world.anna.bearer).status_code == 400
    same = world.client.patch(f"/v1/tags/{tag}", json=rename, headers=world.anna.bearer)
    assert same.status_code == 200
    assert world.make(world.ben, "Бюджет")


def test_braces_in_a_name_stay_braces_in_the_error(world: World) -> None:
    """The sentence is made of a text with values, so that pages can translate it."""
    name = "{name} {0} {x.__class__}"
    world.make(world.anna, name)
    answer = world.client.post("/v1/tags", json={"name": name}, headers=world.anna.bearer)
    assert answer.json() == {
        "detail": f"You have a tag “{name}” already.",
        "code": "invalid_input",
        "parts": [["You have a tag “{name}” already.", {"name": name}]],
    }


@pytest.mark.parametrize(
    "body", [{}, {"name": " \n"}, {"name": "x" * 61}, {"name": "x", "colour": 12}, {"name": 5}]
)
def test_bad_tags_are_refused(world: World, body: Any) -> None:
    answer = world.client.post("/v1/tags", json=body, headers=world.anna.bearer)
    assert answer.status_code == 422


def test_account_that_is_removed_takes_its_tags_along(world: World) -> None:
    shared = make_transcript(world.services, user_id=world.anna.id, share_mode="public")
    world.give(world.ben, shared, world.make(world.ben, "Mine"))
    with world.services.db.write() as session:
        users.remove(session, session.get_one(User, world.ben.id), None)
    assert world.client.get(f"/v1/transcripts/{shared}").status_code == 200


def test_transcript_that_is_destroyed_loses_its_tags(world: World) -> None:
    mine = make_transcript(world.services, user_id=world.anna.id)
    world.give(world.anna, mine, world.make(world.anna, "Budget"))
    path, headers = f"/v1/transcripts/{mine}", world.anna.bearer
    world.client.delete(path, headers=headers)
    assert world.names(world.anna) == [("Budget", 0)]
    assert world.client.delete(f"{path}/destroy", headers=headers).status_code == 200


def test_without_accounts_tags_are_everybodys(client: TestClient, services: Any) -> None:
    transcript_id = make_transcript(services)
    tag = client.post("/v1/tags", json={"name": "Budget"}).json()["id"]
    assert client.put(f"/v1/transcripts/{transcript_id}/tags/{tag}").status_code == 200
    assert [t["transcripts"] for t in client.get("/v1/tags").json()] == [1]
