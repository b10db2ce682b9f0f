"""Summary templates: one's own and everybody's, and the options that name them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.accounts import users
from reflector.db.models import SummaryTemplate, User
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices, client_of

TEXT = {"name": "Decision log", "instructions": "List each decision with its reasons."}


class World:
    def __init__(self, open_with: OpenServices) -> None:
        self.services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
        self.client = client_of(self.services)
        self.anna = make_person(self.services, "anna@example.org")
        self.ben = make_person(self.services, "ben@example.org")
        self.chief = make_person(self.services, "chief@example.org")
        with self.services.db.write() as session:
            session.get_one(User, self.chief.id).is_administrator = True

    def ask(self, person: Person, method: str, path: str, body: Any = None) -> Any:
        return self.client.request(method, f"/v1/{path}", json=body, headers=person.bearer)

    def make(self, person: Person, **values: Any) -> str:
        answer = self.ask(person, "POST", "summary-templates", {**TEXT, **values})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def seen(self, person: Person) -> dict[str, bool]:
        found = self.ask(person, "GET", "summary-templates").json()
        return {each["id"]: each["is_mine"] for each in found}


@pytest.fixture
def world(open_with: OpenServices) -> World:
    return World(open_with)


def test_own_template_is_ones_own(world: World) -> None:
    template = world.make(world.anna)
    assert world.seen(world.anna) == {template: True}
    assert world.seen(world.ben) == {}
    path = f"summary-templates/{template}"
    assert world.ask(world.ben, "PATCH", path, {"name": "x"}).status_code == 404
    assert world.ask(world.ben, "DELETE", path).status_code == 404
    assert world.ask(world.anna, "PATCH", path, {"name": "Minutes"}).status_code == 200
    assert world.ask(world.anna, "GET", "summary-templates").json()[0]["name"] == "Minutes"
    assert world.ask(world.anna, "DELETE", path).status_code == 200
    assert world.seen(world.anna) == {}


def test_only_administrators_write_for_everybody(world: World) -> None:
    for_all = {**TEXT, "is_for_all": True}
    assert world.ask(world.anna, "POST", "summary-templates", for_all).status_code == 403
    own = world.make(world.anna)
    path = f"summary-templates/{own}"
    assert world.ask(world.anna, "PATCH", path, {"is_for_all": True}).status_code == 403
    shared = world.make(world.chief, is_for_all=True)
    assert world.seen(world.ben) == {shared: False}
    path = f"summary-templates/{shared}"
    assert world.ask(world.ben, "PATCH", path, {"name": "x"}).status_code == 403
    assert world.ask(world.ben, "DELETE", path).status_code == 403
    assert world.ask(world.chief, "DELETE", path).status_code == 200


def test_template_for_everybody_outlives_the_account_that_wrote_it(world: World) -> None:
    shared, own = world.make(world.chief, is_for_all=True), world.make(world.chief)
    with world.services.db.write() as session:
        users.remove(session, session.get_one(User, world.chief.id), None)
    assert world.seen(world.anna) == {shared: False}
    assert own not in world.seen(world.anna)


def test_options_follow_the_recording_then_its_owners_tags(world: World) -> None:
    mine = make_transcript(
        world.services, user_id=world.anna.id, source_language="auto", share_mode="public"
    )
    log, minutes = world.make(world.anna), world.make(world.chief, is_for_all=True)
    defaults = {
        "vocabulary": "Zyxel, Qualle",
        "language": "de",
        "summary_template_id": minutes,
        "retention_days": 30,
    }
    tag = world.ask(world.anna, "POST", "tags", {"name": "Board", **defaults}).json()
    assert {**tag, **defaults} == tag
    world.ask(world.anna, "PUT", f"transcripts/{mine}/tags/{tag['id']}")
    foreign = world.ask(world.ben, "POST", "tags", {"name": "Ben's", "vocabulary": "Spam"}).json()
    world.ask(world.ben, "PUT", f"transcripts/{mine}/tags/{foreign['id']}")
    path = f"transcripts/{mine}/options"
    effective = world.ask(world.anna, "GET", path).json()["effective"]
    assert effective == {
        "language": "de",
        "vocabulary": "Zyxel, Qualle",
        "min_speakers": None,
        "max_speakers": None,
        "summary_template_id": minutes,
    }
    own = {"vocabulary": "Ada\nQualle", "max_speakers": 3, "summary_template_id": log}
    effective = world.ask(world.anna, "PUT", path, own).json()["effective"]
    assert effective["vocabulary"] == "Ada, Qualle, Zyxel"
    assert (effective["max_speakers"], effective["summary_template_id"]) == (3, log)
    world.ask(world.anna, "DELETE", f"summary-templates/{log}")
    after = world.ask(world.anna, "GET", path).json()["effective"]
    assert after["summary_template_id"] == minutes  # what is gone is as if never chosen
    cleared = {"vocabulary": None, "language": None}
    world.ask(world.anna, "PATCH", f"tags/{tag['id']}", cleared)
    after = world.ask(world.anna, "GET", path).json()["effective"]
    assert (after["vocabulary"], after["language"]) == ("Ada, Qualle", None)


@pytest.mark.parametrize("language", ["auto", ""])
def test_tag_whose_language_is_detected_hides_no_other(world: World, language: str) -> None:
    """`auto` reached the recogniser as the name of a language."""
    mine = make_transcript(world.services, user_id=world.anna.id, source_language="auto")
    for name, code in (("A", language), ("B", "de")):
        tag = world.ask(world.anna, "POST", "tags", {"name": name, "language": code}).json()["id"]
        world.ask(world.anna, "PUT", f"transcripts/{mine}/tags/{tag}")
    effective = world.ask(world.anna, "GET", f"transcripts/{mine}/options").json()["effective"]
    assert effective["language"] == "de"


def test_strangers_do_not_read_templates(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, PUBLIC_MODE=True)
    with services.db.write() as session:
        session.add(SummaryTemplate(name="x", instructions="x", is_for_all=True))
    assert client_of(services).get("/v1/summary-templates").json() == []


def test_templates_of_others_cannot_be_chosen(world: World) -> None:
    private = world.make(world.anna)
    his = make_transcript(world.services, user_id=world.ben.id)
    chosen = {"summary_template_id": private}
    assert world.ask(world.ben, "PUT", f"transcripts/{his}/options", chosen).status_code == 404
    assert world.ask(world.ben, "POST", "tags", {"name": "x", **chosen}).status_code == 404
    tag = world.ask(world.ben, "POST", "tags", {"name": "x"}).json()["id"]
    assert world.ask(world.ben, "PATCH", f"tags/{tag}", chosen).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("summary-templates", {"name": "x"}),
        ("summary-templates", {"name": " ", "instructions": "x"}),
        ("summary-templates", {"name": "x", "instructions": " \n"}),
        ("summary-templates", {"name": "x", "instructions": "x" * 2001}),
        ("tags", {"name": "x", "language": "klingon"}),
        ("tags", {"name": "x", "retention_days": 0}),
        ("tags", {"name": "x", "vocabulary": "x" * 2001}),
    ],
)
def test_bad_values_are_refused(world: World, path: str, body: Any) -> None:
    assert world.ask(world.anna, "POST", path, body).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"min_speakers": 0},
        {"max_speakers": 100},
        {"min_speakers": 4, "max_speakers": 3},
        {"vocabulary": "x" * 2001},
        {"vocabulary": 5},
    ],
)
def test_bad_options_are_refused(world: World, body: Any) -> None:
    mine = make_transcript(world.services, user_id=world.anna.id)
    answer = world.ask(world.anna, "PUT", f"transcripts/{mine}/options", body)
    assert answer.status_code == 422


def test_without_accounts_templates_are_everybodys(client: TestClient) -> None:
    made = client.post("/v1/summary-templates", json=TEXT).json()
    assert made["is_mine"]
    path = f"/v1/summary-templates/{made['id']}"
    assert client.patch(path, json={"is_for_all": True}).status_code == 200
    assert client.delete(path).status_code == 200
