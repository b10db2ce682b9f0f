"""Sharing: who gets in, how far, and that nobody stays who was sent away."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey

from reflector.accounts import identity, limiter, passwords, users
from reflector.db.models import ShareLink, Transcript, TranscriptShare, User, now
from reflector.http import sockets
from reflector.services import Services
from reflector.sharing import links, people
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.api.test_rights_change import until_closed
from tests.conftest import OpenServices


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1000)
    monkeypatch.setattr(identity, "REMEMBER_SECONDS", 0.0)


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, MIN_FREE_BYTES=0)


@pytest.fixture
def owner(services: Services) -> Person:
    return make_person(services, "anna@example.org")


@pytest.fixture
def friend(services: Services) -> Person:
    return make_person(services, "bert@example.org")


@pytest.fixture
def transcript(services: Services, owner: Person) -> str:
    return make_transcript(services, user_id=owner.id, title="Budget")


def path_of(transcript: str, rest: str = "") -> str:
    return f"/v1/transcripts/{transcript}{rest}"


def share(
    client: TestClient, owner: Person, transcript: str, friend: Person, level: str = "view"
) -> None:
    answer = client.put(
        path_of(transcript, "/shares/people"),
        json={"email": friend.email, "level": level},
        headers=owner.bearer,
    )
    assert answer.status_code == 200, answer.text


def make_link(client: TestClient, owner: Person, transcript: str, **wanted: Any) -> dict[str, Any]:
    answer = client.post(path_of(transcript, "/shares/links"), json=wanted, headers=owner.bearer)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def sound_of(services: Services, transcript: str, folder: Any) -> None:
    (folder / "a").write_bytes(b"sound")
    services.storage.adopt(folder / "a", f"{transcript}/audio.mp3")


def test_person_reads_and_hears_what_is_shared_but_changes_nothing(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str,
    tmp_path: Any,
) -> None:  # fmt: skip
    sound_of(services, transcript, tmp_path)
    assert client.get(path_of(transcript), headers=friend.bearer).status_code == 403
    share(client, owner, transcript, friend)
    seen = client.get(path_of(transcript), headers=friend.bearer)
    assert (seen.status_code, seen.json()["user_id"]) == (200, None)
    assert client.get(path_of(transcript, "/audio/mp3"), headers=friend.bearer).status_code == 200
    refused = client.patch(path_of(transcript), json={"title": "x"}, headers=friend.bearer)
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("DELETE", "", None),
        ("POST", "/process", None),
        ("PATCH", "", {"share_mode": "public"}),
        ("PATCH", "", {"title": "x", "audio_deleted": True}),
        ("GET", "/shares", None),
        ("PUT", "/shares/people", {"email": "bert@example.org", "level": "edit"}),
        ("DELETE", "/shares/people/somebody", None),
        ("POST", "/shares/links", {}),
        ("POST", "/record/webrtc", {"sdp": "", "type": "offer"}),
        ("PATCH", "", {"locked": True}),
        ("PATCH", "", {"source_language": "de"}),
        ("POST", "/restore", None),
        ("DELETE", "/destroy", None),
    ],
)
def test_editor_does_not_do_what_is_its_owners(
    client: TestClient, owner: Person, friend: Person, transcript: str,
    method: str, rest: str, body: dict[str, Any] | None,
) -> None:  # fmt: skip
    share(client, owner, transcript, friend, "edit")
    answer = client.request(method, path_of(transcript, rest), json=body, headers=friend.bearer)
    assert answer.status_code == 403, answer.text


def test_editor_changes_the_text_and_is_named_in_the_history(
    client: TestClient, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend, "edit")
    changed = client.patch(path_of(transcript), json={"title": "Better"}, headers=friend.bearer)
    assert changed.status_code == 200
    history = client.get(path_of(transcript, "/history"), headers=owner.bearer).json()
    assert friend.email in str(history)


def test_editor_neither_sees_nor_loses_whose_accounts_participants_are(
    client: TestClient, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend, "edit")
    people = [{"name": "Anna", "speaker": 0, "user_id": owner.id}]
    client.patch(path_of(transcript), json={"participants": people}, headers=owner.bearer)
    seen = client.get(path_of(transcript), headers=friend.bearer).json()
    assert seen["participants"][0]["user_id"] is None
    sent = {"participants": seen["participants"], "title": "z"}
    changed = client.patch(path_of(transcript), json=sent, headers=friend.bearer)
    assert changed.status_code == 200
    assert owner.id not in changed.text
    assert owner.email not in changed.text
    kept = client.get(path_of(transcript), headers=owner.bearer).json()["participants"]
    assert kept[0]["user_id"] == owner.id


def test_audio_token_ends_with_the_share_or_is_not_given_for_a_link(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str,
    tmp_path: Any,
) -> None:  # fmt: skip
    sound_of(services, transcript, tmp_path)
    share(client, owner, transcript, friend)
    made = client.post(path_of(transcript, "/audio/link"), headers=friend.bearer).json()
    token = {"token": made["url"].partition("token=")[2]}
    mp3 = path_of(transcript, "/audio/mp3")
    assert client.get(mp3, params=token).status_code == 200
    person = path_of(transcript, f"/shares/people/{friend.id}")
    client.delete(person, headers=owner.bearer)
    assert client.get(mp3, params=token).status_code == 403
    opened(client, make_link(client, owner, transcript, with_sound=True))
    assert client.get(mp3).status_code == 200
    assert client.post(path_of(transcript, "/audio/link")).status_code == 401


def test_share_that_went_with_its_account_is_not_answered_from_memory(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    """With a token as clients of the reference sign them, which does not know of accounts."""
    friend = make_person(services, "carla@example.org")
    share(client, owner, transcript, friend)
    claims = {"sub": friend.id, "email": friend.email, "exp": int(time.time()) + 600}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.encode()))
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(2):
        assert client.get(path_of(transcript), headers=headers).status_code == 200
    with services.db.write() as session:
        users.remove(session, session.get_one(User, friend.id), None)
    assert client.get(path_of(transcript), headers=headers).status_code == 403


def test_address_of_two_accounts_is_not_guessed(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    with services.db.write() as session:
        session.add_all(User(email="c@example.org", authentik_uid=f"uid-{n}") for n in range(2))
    path = path_of(transcript, "/shares/people")
    answer = client.put(path, json={"email": "c@example.org"}, headers=owner.bearer)
    assert (answer.status_code, "Several accounts" in answer.json()["detail"]) == (400, True)


def test_token_of_a_link_is_not_in_the_log(
    client: TestClient, owner: Person, transcript: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = make_link(client, owner, transcript, password="open sesame")
    token = link["url"].rsplit("/", 1)[1]
    caplog.set_level("INFO", logger="reflector")
    client.post(f"/s/{token}", data={"password": "x"}, headers={"Origin": "http://evil.example"})
    assert "/s/…" in caplog.text
    assert token not in "".join(
        each.getMessage() for each in caplog.records if each.name.startswith("reflector")
    )


def test_address_too_long_for_a_code_is_said(
    client: TestClient, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript)
    path = path_of(transcript, f"/shares/links/{link['id']}/qr")
    answer = client.get(path, headers={**owner.bearer, "Host": "a" * 3000})
    assert (answer.status_code, "too long" in answer.json()["detail"]) == (400, True)


def test_logging_out_closes_what_links_opened(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    opened(client, make_link(client, owner, transcript))
    assert client.get(path_of(transcript)).status_code == 200
    client.post("/logout")
    assert client.get(path_of(transcript)).status_code == 403


def test_shared_ones_stand_in_lists_and_search_once(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str
) -> None:
    def ids(path: str) -> list[str]:
        body = client.get(path, headers=friend.bearer).json()
        return [item["id"] for item in body.get("items", body.get("results"))]

    share(client, owner, transcript, friend)
    client.patch(path_of(transcript), json={"title": "Budget again"}, headers=owner.bearer)
    for path in ("/v1/transcripts", "/v1/transcripts/search?q=budget"):
        assert ids(path) == [transcript]
    client.delete(path_of(transcript), headers=owner.bearer)
    for path in ("/v1/transcripts", "/v1/transcripts/search?q=budget"):
        assert ids(path) == []
    trash = client.get("/v1/transcripts/search?q=&include_deleted=true", headers=friend.bearer)
    assert trash.json()["results"] == []


def test_shared_one_in_a_shared_room_is_counted_once(
    client: TestClient, services: Services, owner: Person, friend: Person
) -> None:
    from reflector.db.models import Room

    with services.db.write() as session:
        room = Room(name="r", user_id=owner.id, is_shared=True, platform="whereby")
        session.add(room)
        session.flush()
        room_id = room.id
    transcript = make_transcript(
        services, user_id=owner.id, room_id=room_id, share_mode="semi-private"
    )
    share(client, owner, transcript, friend)
    body = client.get("/v1/transcripts?size=1", headers=friend.bearer).json()
    assert (body["total"], len(body["items"])) == (1, 1)


def test_person_who_was_removed_is_out_at_once(
    client: TestClient, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend)
    token = friend.bearer["Authorization"].removeprefix("Bearer ")
    with client.websocket_connect(path_of(transcript, "/events"), ["bearer", token]) as socket:
        assert socket.receive_json()["event"] == "STATUS"
        person = path_of(transcript, f"/shares/people/{friend.id}")
        assert client.delete(person, headers=owner.bearer).status_code == 200
        assert until_closed(socket) == sockets.NOT_ALLOWED
    assert client.get(path_of(transcript), headers=friend.bearer).status_code == 403


def test_person_can_leave(
    client: TestClient, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend)
    person = path_of(transcript, f"/shares/people/{friend.id}")
    assert client.delete(person, headers=friend.bearer).status_code == 200
    assert client.get("/v1/transcripts", headers=friend.bearer).json()["items"] == []


def test_sharing_says_why_it_cannot(
    client: TestClient, services: Services, owner: Person, transcript: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def put(email: str) -> Any:
        path = path_of(transcript, "/shares/people")
        return client.put(path, json={"email": email}, headers=owner.bearer)

    assert "Nobody has an account" in put("nobody@example.org").json()["detail"]
    assert "yours already" in put(" ANNA@example.org ").json()["detail"]
    monkeypatch.setattr(people, "MOST_PEOPLE", 1)
    friends = [make_person(services, f"{n}@example.org") for n in range(2)]
    assert put(friends[0].email).status_code == 200
    assert "already" in put(friends[1].email).json()["detail"]
    assert put(friends[0].email.upper()).status_code == 200
    monkeypatch.setattr(links, "MOST_LINKS", 1)
    make_link(client, owner, transcript)
    again = client.post(path_of(transcript, "/shares/links"), json={}, headers=owner.bearer)
    assert again.status_code == 400


def test_removed_account_takes_its_shares_with_it(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend)
    with services.db.write() as session:
        users.remove(session, session.get_one(User, friend.id), None)
    with services.db.read() as session:
        assert session.query(TranscriptShare).count() == 0


def opened(client: TestClient, link: dict[str, Any], password: str | None = None) -> Any:
    path = "/s/" + link["url"].rsplit("/", 1)[1]
    if password is None:
        return client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    return client.post(path, data={"password": password}, follow_redirects=False)


def test_link_opens_one_recording_for_reading_without_its_sound(
    client: TestClient, services: Services, owner: Person, transcript: str, tmp_path: Any
) -> None:
    sound_of(services, transcript, tmp_path)
    other = make_transcript(services, user_id=owner.id)
    link = make_link(client, owner, transcript)
    assert client.get(path_of(transcript)).status_code == 403
    answer = opened(client, link)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/transcripts/{transcript}")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert client.get(answer.headers["location"]).status_code == 200
    assert client.get(path_of(transcript)).status_code == 200
    assert client.get(path_of(transcript, "/export/txt")).status_code == 200
    assert client.get(path_of(transcript, "/audio/mp3")).status_code == 401
    assert client.post(path_of(transcript, "/audio/link")).status_code == 401
    assert client.patch(path_of(transcript), json={"title": "x"}).status_code == 401
    assert client.get(path_of(other)).status_code == 403
    shares = client.get(path_of(transcript, "/shares"), headers=owner.bearer).json()
    assert shares["links"][0]["last_opened_at"] is not None


def test_link_with_sound_is_heard_and_one_without_is_not_heard_with_an_account_either(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str,
    tmp_path: Any,
) -> None:  # fmt: skip
    sound_of(services, transcript, tmp_path)
    silent = make_link(client, owner, transcript)
    opened(client, silent)
    assert client.get(path_of(transcript), headers=friend.bearer).status_code == 200
    mp3 = path_of(transcript, "/audio/mp3")
    assert client.get(mp3, headers=friend.bearer).status_code == 403
    video = path_of(transcript, "/video/url")
    assert client.get(video, headers=friend.bearer).status_code == 403
    assert (
        client.get(path_of(transcript, "/download/zip"), headers=friend.bearer).status_code == 403
    )
    opened(client, make_link(client, owner, transcript, with_sound=True))
    assert client.get(mp3).status_code == 200
    assert client.get(mp3, headers=friend.bearer).status_code == 200


def test_links_cookie_of_another_sites_page_opens_nothing(
    client: TestClient, owner: Person, transcript: str
) -> None:
    opened(client, make_link(client, owner, transcript))
    answer = client.get(path_of(transcript), headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403


def test_answer_for_one_with_the_link_is_not_kept_for_others(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    opened(client, make_link(client, owner, transcript))
    assert client.get(path_of(transcript)).status_code == 200
    client.cookies.clear()
    assert client.get(path_of(transcript)).status_code == 403


@pytest.mark.parametrize("end", ["removed", "expired", "in the trash"])
def test_link_that_ended_opens_nothing_any_more(
    client: TestClient, services: Services, owner: Person, transcript: str, end: str
) -> None:
    link = make_link(client, owner, transcript, expires_in_days=1)
    opened(client, link)
    assert client.get(path_of(transcript)).status_code == 200
    if end == "removed":
        path = path_of(transcript, f"/shares/links/{link['id']}")
        assert client.delete(path, headers=owner.bearer).status_code == 200
    elif end == "expired":
        with services.db.write() as session:
            row = session.get_one(ShareLink, link["id"])
            row.expires_at = now() - timedelta(seconds=1)
    else:
        client.delete(path_of(transcript), headers=owner.bearer)
    assert client.get(path_of(transcript)).status_code in {403, 404}
    page = opened(client, link)
    assert page.status_code == 404
    assert "taken back" in page.text


def test_link_with_a_password_wants_it_and_slows_down_guessing(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript, password="open sesame")
    asked = opened(client, link)
    assert (asked.status_code, "set-cookie" in asked.headers) == (200, False)
    wrong = opened(client, link, "open barley")
    assert (wrong.status_code, "not the password" in wrong.text) == (401, True)
    assert client.get(path_of(transcript)).status_code == 403
    assert opened(client, link, "open sesame").status_code == 303
    assert client.get(path_of(transcript)).status_code == 200
    codes = [opened(client, link, "guess").status_code for _ in range(7)]
    # On a slow machine the last ones may come after the first wait is over
    assert 429 in codes


def test_password_is_taken_from_the_links_own_page_only(
    client: TestClient, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript, password="open sesame")
    answer = client.post(
        "/s/" + link["url"].rsplit("/", 1)[1],
        data={"password": "open sesame"},
        headers={"Origin": "http://evil.example"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["x", "%00", "a" * 3000, "../login"])
def test_link_that_never_was_is_told_as_one_that_ended(client: TestClient, token: str) -> None:
    answer = client.get(f"/s/{token}", headers={"Accept": "text/html"})
    assert answer.status_code in {200, 404, 422}
    assert "set-cookie" not in answer.headers


def test_forged_cookie_opens_nothing(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript)
    signer = services.identity.signer
    for forged in (
        link["id"],
        signer.audio_link(transcript, owner.id),
        signer.login(owner.id, None, 0),
        "x.y.z",
    ):
        client.cookies.set("reflector_visit", forged)
        assert client.get(path_of(transcript)).status_code == 403


def test_browser_keeps_the_last_links_it_opened(
    client: TestClient, services: Services, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reflector.accounts import visits

    monkeypatch.setattr(visits, "MOST_OPEN", 2)
    ids = [make_transcript(services, user_id=owner.id) for _ in range(3)]
    for each in ids:
        opened(client, make_link(client, owner, each))
    assert [client.get(path_of(each)).status_code for each in ids] == [403, 200, 200]


def test_code_of_a_link_is_an_image_of_its_address(
    client: TestClient, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript)
    path = path_of(transcript, f"/shares/links/{link['id']}/qr")
    answer = client.get(path, headers=owner.bearer)
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.text.lstrip().startswith("<?xml") or "<svg" in answer.text


def test_recording_without_an_owner_cannot_be_shared_further(
    client: TestClient, services: Services, owner: Person
) -> None:
    transcript = make_transcript(services)
    answer = client.post(path_of(transcript, "/shares/links"), json={}, headers=owner.bearer)
    assert (answer.status_code, "no owner" in answer.json()["detail"]) == (400, True)


def test_failed_attempts_on_links_do_not_count_for_accounts(
    client: TestClient, services: Services, owner: Person, transcript: str
) -> None:
    link = make_link(client, owner, transcript, password="open sesame")
    for _ in range(7):
        opened(client, link, "guess")
    limiter.LoginLimiter(services.db).begin(owner.email, "testclient")


def test_owner_who_gives_it_away_still_reads_what_is_shared_back(
    client: TestClient, services: Services, owner: Person, friend: Person, transcript: str
) -> None:
    share(client, owner, transcript, friend)
    with services.db.write() as session:
        session.get_one(Transcript, transcript).user_id = friend.id
    assert client.get(path_of(transcript), headers=friend.bearer).status_code == 200
    assert client.get(path_of(transcript), headers=owner.bearer).status_code == 403
    listed = client.get("/v1/transcripts", headers=friend.bearer).json()
    assert (listed["total"], len(listed["items"])) == (1, 1)
