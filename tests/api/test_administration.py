"""Administration: who may, what is changed, what an administrator does not see."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.administration.work import CANCELLED
from reflector.db.models import Step, StepState, Transcript, User
from reflector.pipeline.queue.leases import Lease, LeaseLost, take
from reflector.pipeline.runner import _still_ours
from reflector.pipeline.runs import start_run
from reflector.services import Services
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices, client_of

BASE = "/v1/administration"
ROUTES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/people", None),
    ("POST", "/people", {"email": "new@example.org"}),
    ("PATCH", "/people/{id}", {"disabled": True}),
    ("POST", "/people/{id}/sign-out", None),
    ("DELETE", "/people/{id}", None),
    ("GET", "/work", None),
    ("POST", "/work/{id}/cancel", None),
    ("GET", "/work/{id}", None),
    ("GET", "/storage", None),
    ("GET", "/models", None),
    ("POST", "/models/verify?name=x", None),
    ("GET", "/versions", None),
]


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, MIN_FREE_BYTES=0)


@pytest.fixture
def boss(services: Services) -> Person:
    person = make_person(services, "boss@example.org")
    with services.db.write() as session:
        session.get_one(User, person.id).is_administrator = True
    return person


@pytest.fixture
def anna(services: Services) -> Person:
    return make_person(services, "anna@example.org")


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_ordinary_account_or_stranger_is_refused(
    client: TestClient, anna: Person, method: str, path: str, body: dict[str, Any] | None
) -> None:
    address = BASE + path.format(id=anna.id)
    for headers, status in [({}, 401), (anna.bearer, 403), (anna.key, 403)]:
        answer = client.request(method, address, json=body, headers=headers)
        assert answer.status_code == status
    assert "Only administrators" in answer.text


@pytest.mark.parametrize("body", [{"administrator": False}, {"disabled": True}])
def test_last_administrator_stays_one(
    client: TestClient, boss: Person, body: dict[str, Any]
) -> None:
    address = f"{BASE}/people/{boss.id}"
    assert "last administrator" in client.patch(address, json=body, headers=boss.bearer).text
    assert client.delete(address, headers=boss.bearer).status_code == 400
    assert client.get(f"{BASE}/people", headers=boss.bearer).json()[0]["administrator"]


def test_person_is_created_disabled_and_removed_with_an_heir(
    client: TestClient, services: Services, boss: Person
) -> None:
    people = f"{BASE}/people"
    assert client.post(people, json={"email": "x"}, headers=boss.bearer).status_code == 400
    made = client.post(people, json={"email": "ben@example.org"}, headers=boss.bearer).json()
    login = {"email": "ben@example.org", "password": made["password"]}
    first = client.post("/v1/auth/login", json=login)
    assert (first.status_code, "choose your own" in first.text) == (403, True)
    ben = f"{people}/{made['id']}"
    client.patch(ben, json={"disabled": True}, headers=boss.bearer)
    assert client.post("/v1/auth/login", json=login).status_code in {401, 403}
    recording = make_transcript(services, user_id=made["id"])
    assert "Choose who gets them" in client.delete(ben, headers=boss.bearer).text
    heir = {"give_to": boss.id}
    assert client.delete(ben, params=heir, headers=boss.bearer).status_code == 200
    assert client.delete(ben, params=heir, headers=boss.bearer).status_code == 404
    with services.db.read() as session:
        assert session.get_one(Transcript, recording).user_id == boss.id


def test_work_hides_titles_and_cancelling_stops_the_worker(
    client: TestClient, services: Services, boss: Person, anna: Person
) -> None:
    recording = make_transcript(services, user_id=anna.id, name="Secret", share_mode="private")
    with services.db.write() as session:
        run = start_run(session, session.get_one(Transcript, recording))
    first = client.get(f"{BASE}/work", headers=boss.bearer).json()[0]
    assert first["recording"] == "A recording of anna@example.org"
    step = take(services.db, recording, run, first["step"], "worker")
    assert step is not None
    lease = Lease(services.db, step)
    assert lease._renew()
    cancel = f"{BASE}/work/{recording}/cancel"
    assert client.post(cancel, headers=boss.bearer).status_code == 200
    assert not lease._renew()
    with services.db.write() as session, pytest.raises(LeaseLost):
        _still_ours(session, step)
    with services.db.read() as session:
        assert session.get_one(Transcript, recording).error == CANCELLED
        row = session.get_one(Step, step.id)
        assert (row.state, row.error) == (StepState.FAILED, CANCELLED)
    assert client.get(f"{BASE}/work", headers=boss.bearer).json() == []
    assert client.post(cancel, headers=boss.bearer).status_code == 409
    assert client.post(f"{BASE}/work/none/cancel", headers=boss.bearer).status_code == 404


FORMS = [
    "/people", "/people/{id}/disable", "/people/{id}/remove", "/work/{id}/cancel", "/models/verify",
]  # fmt: skip
PAGES = ["", "/storage", "/work/{id}"]


def test_page_and_forms_are_for_administrators_on_this_server(
    client: TestClient, services: Services, boss: Person, anna: Person
) -> None:
    page = "/administration"
    assert client.get(page, follow_redirects=False).status_code == 303
    assert client.get(page, headers=anna.bearer).status_code == 403
    assert "anna@example.org" in client.get(page, headers=boss.bearer).text
    for path in PAGES:
        assert client.get(page + path.format(id=anna.id), headers=anna.bearer).status_code == 403
    for form in FORMS:
        address = page + form.format(id=anna.id)
        assert client.post(address).status_code == 401
        assert client.post(address, headers=anna.bearer).status_code == 403
        foreign = {**boss.bearer, "Origin": "https://evil.example"}
        assert client.post(address, headers=foreign).status_code == 403
    unconfirmed = client.post(f"{page}/people/{anna.id}/remove", headers=boss.bearer)
    assert unconfirmed.status_code == 400
    with services.db.read() as session:
        user = session.get_one(User, anna.id)
        assert user.disabled_at is None


def test_first_password_opens_nothing_until_it_is_another(
    client: TestClient, services: Services, boss: Person
) -> None:
    """An administrator knows it. Pages, API and forms are closed, and it cannot be kept."""
    form = {"email": "ben@example.org"}
    made = client.post(f"{BASE}/people", json=form, headers=boss.bearer).json()
    own = client_of(services)
    own.post("/login", data={**form, "password": made["password"]})
    page = own.get("/trash", headers={"Accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/account")
    assert own.get("/v1/transcripts").json()["code"] == "password_change_needed"
    assert own.post("/account/keys").status_code == 403
    fresh = {"current": made["password"], "new": made["password"], "again": made["password"]}
    same = own.post("/account/password", data=fresh)
    assert (same.status_code, "is the current one" in same.text) == (400, True)
    fresh = {**fresh, "new": "one of my own choice", "again": "one of my own choice"}
    assert own.post("/account/password", data=fresh).status_code == 200
    assert own.get("/v1/transcripts").status_code == 200


def test_account_made_on_the_page_shows_its_password_once(client: TestClient, boss: Person) -> None:
    form = {"email": "ben@example.org"}
    made = client.post("/administration/people", data=form, headers=boss.bearer)
    assert "not shown again" in made.text
    assert client.get("/administration", headers=boss.bearer).text.count("not shown again") == 0


def test_without_accounts_work_is_open_and_people_are_missing(open_with: OpenServices) -> None:
    client = client_of(open_with(AUTH_BACKEND="none"))
    assert client.get(f"{BASE}/work").status_code == 200
    assert client.get(f"{BASE}/people").status_code == 404
