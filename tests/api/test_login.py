"""Passwords, tokens, keys, and what ends them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from reflector.accounts import identity, limiter, passwords, users
from reflector.db.models import LoginAttempt, User, now
from reflector.services import Services
from tests.api.people import PASSWORD, SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of
from tests.server import running_server

HASH = passwords.hash_password(PASSWORD, 1000)
EMAIL = "anna@example.org"
LOGIN = "/v1/auth/login"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of a real hash is tested where it matters; here it would only take time."""
    monkeypatch.setattr(passwords, "ITERATIONS", 1000)
    monkeypatch.setattr(identity, "REMEMBER_SECONDS", 0.0)


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture
def client(services: Services) -> TestClient:
    make_person(services, EMAIL, HASH)
    return client_of(services)


def login(client: TestClient, email: str = EMAIL, password: str = PASSWORD) -> int:
    return client.post(LOGIN, json={"email": email, "password": password}).status_code


def bearer(client: TestClient) -> dict[str, str]:
    body = client.post(LOGIN, json={"email": EMAIL, "password": PASSWORD}).json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 86400
    return {"Authorization": f"Bearer {body['access_token']}"}


def test_login_gives_a_token_that_says_who_one_is(client: TestClient) -> None:
    me = client.get("/v1/me", headers=bearer(client)).json()
    assert me["email"] == EMAIL
    assert client.get("/v1/me").json() is None


@pytest.mark.parametrize("email", ["ANNA@example.org", " anna@Example.ORG "])
def test_email_is_compared_without_case(client: TestClient, email: str) -> None:
    assert login(client, email) == 200


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@example.org", PASSWORD)]
)
def test_unknown_user_and_wrong_password_have_one_answer(
    client: TestClient, email: str, password: str
) -> None:
    answer = client.post(LOGIN, json={"email": email, "password": password})
    assert (answer.status_code, answer.json()["detail"]) == (401, "Invalid email or password")


def fail(client: TestClient, times: int, email: str = EMAIL) -> list[int]:
    return [login(client, email, "wrong") for _ in range(times)]


def earlier(services: Services, by: timedelta) -> None:
    """As if all attempts had been made so much earlier."""
    with services.db.write() as session:
        session.execute(update(LoginAttempt).values(at=now() - by))


@pytest.fixture(autouse=True)
def _long_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes for the seconds that it is, so that a slow machine is not taken for patience."""
    monkeypatch.setattr(limiter, "FIRST_DELAY", timedelta(minutes=1))


def test_failures_make_the_next_login_wait_and_successes_do_not(client: TestClient) -> None:
    assert [login(client) for _ in range(12)] == [200] * 12
    assert fail(client, 5) == [401] * 5
    answer = client.post(LOGIN, json={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["detail"] == "Too many login attempts. Try again later."
    assert 30 < int(answer.headers["retry-after"]) <= 60


def test_wait_grows_with_each_failure(client: TestClient, services: Services) -> None:
    fail(client, 5)
    waits = []
    for _ in range(4):
        answer = client.post(LOGIN, json={"email": EMAIL, "password": "wrong"})
        waits.append(int(answer.headers["retry-after"]))
        earlier(services, timedelta(seconds=waits[-1] + 1))
        assert login(client, password="wrong") == 401
    assert [round(seconds / 60) for seconds in waits] == [1, 2, 4, 8]
    earlier(services, timedelta(minutes=20))
    assert login(client) == 200
    assert fail(client, 5) == [401] * 5  # afresh


def test_guesses_from_elsewhere_lock_nobody_out(services: Services) -> None:
    make_person(services, EMAIL, HASH)
    stranger, owner = (client_of(services, (host, 1)) for host in ("192.0.2.7", "192.0.2.8"))
    assert 429 in fail(stranger, 12)
    assert login(owner) == 200


def test_one_client_cannot_try_every_account(services: Services) -> None:
    make_person(services, EMAIL, HASH)
    # All of a client's IPv6 addresses are one client
    app = client_of(services).app
    clients = [
        TestClient(app, base_url="http://127.0.0.1:1250", client=(f"2001:db8:1:2::{n:x}", 1))
        for n in range(51)
    ]
    guesses = [login(each, f"{n}@example.org", "wrong") for n, each in enumerate(clients)]
    assert guesses == [401] * 50 + [429]


def test_limit_survives_a_restart_and_ends_by_itself(
    client: TestClient, services: Services
) -> None:
    fail(client, 5)
    again = client_of(services)  # another process with the same database
    assert login(again) == 429
    earlier(services, timedelta(minutes=3))
    assert login(again) == 200


def test_email_of_two_megabytes_is_neither_kept_nor_checked(
    client: TestClient, services: Services
) -> None:
    assert login(client, "x" * 2_000_000 + "@example.org") == 401
    assert login(client, EMAIL, "x" * 2_000_000) == 401
    with services.db.read() as session:
        assert session.scalars(select(LoginAttempt.key)).all() == []


def test_logins_are_logged_on_one_line_without_the_password(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        login(client)
        login(client, "anna@example.org\nroot@example.org", "a secret that was mistyped")
    lines = [r.getMessage() for r in caplog.records if r.name == "reflector.accounts.login"]
    assert lines[0] == "login of 'anna@example.org' from testclient: succeeded"
    assert lines[1].endswith("from testclient: refused")
    assert "\n" not in lines[1]
    assert "mistyped" not in caplog.text


def test_tokens_of_clients_that_sign_their_own_are_accepted(client: TestClient) -> None:
    key = OctKey.import_key(SECRET.encode())
    claims = {"sub": "anybody", "email": "a@b", "exp": int(time.time()) + 60}
    token = jwt.encode({"alg": "HS256"}, claims, key)
    me = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert me == {"sub": "anybody", "email": "a@b"}


@pytest.mark.parametrize("change", [{"exp": 1}, {"exp": None}, {"sub": None}, {"sub": ""}])
def test_token_without_an_end_or_a_subject_is_refused(client: TestClient, change: dict) -> None:  # type: ignore[type-arg]
    claims = {"sub": "x", "exp": int(time.time()) + 60, **change}
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.encode()))
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_audio_link_opens_its_audio_and_nothing_else(
    client: TestClient, services: Services, tmp_path: object
) -> None:
    headers = bearer(client)
    me = client.get("/v1/me", headers=headers).json()["sub"]
    own, other = (make_transcript(services, user_id=me) for _ in range(2))
    url = client.post(f"/v1/transcripts/{own}/audio/link", headers=headers).json()["url"]
    token = url.partition("token=")[2]
    assert (
        client.get(f"/v1/transcripts/{own}/audio/mp3", params={"token": token}).status_code == 404
    )
    refused = client.get(f"/v1/transcripts/{other}/audio/mp3", params={"token": token})
    assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid or expired token")
    as_login = {"Authorization": f"Bearer {token}"}
    assert client.get(f"/v1/transcripts/{own}", headers=as_login).status_code == 401
    # A login works as a token of the link, as in the reference
    login_token = headers["Authorization"].removeprefix("Bearer ")
    path = f"/v1/transcripts/{own}/audio/mp3"
    assert client.get(path, params={"token": login_token}).status_code == 404


def test_api_keys_are_shown_once_and_end_when_deleted(client: TestClient) -> None:
    headers = bearer(client)
    made = client.post("/v1/user/api-keys", json={"name": "script"}, headers=headers).json()
    assert len(made["key"]) == 64
    listed = client.get("/v1/user/api-keys", headers=headers).json()
    assert listed[0] == {name: value for name, value in made.items() if name != "key"}
    by_key = {"X-API-Key": made["key"]}
    assert client.get("/v1/me", headers=by_key).json() == {"sub": made["user_id"], "email": None}
    assert client.delete(f"/v1/user/api-keys/{made['id']}", headers=headers).json() == {
        "status": "ok"
    }
    assert client.get("/v1/me", headers=by_key).json() is None
    again = client.delete(f"/v1/user/api-keys/{made['id']}", headers=headers)
    assert (again.status_code, again.json()["detail"]) == (404, "Not Found")


def test_cookie_does_not_count_for_another_sites_page(client: TestClient) -> None:
    client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert client.get("/v1/me").json()["email"] == EMAIL
    foreign = {"Origin": "https://elsewhere.example"}
    assert client.get("/v1/me", headers=foreign).json() is None
    assert client.post("/v1/transcripts", json={"name": "x"}, headers=foreign).status_code == 401
    assert client.post("/login", data={"email": EMAIL}, headers=foreign).status_code == 403


@pytest.mark.parametrize(
    ("back", "goes_to"),
    [("/trash", "/trash"), ("https://evil.example", "/"), ("//evil.example", "/"), ("/\\evil", "/"), ("", "/")],
)  # fmt: skip
def test_login_never_leads_to_another_site(client: TestClient, back: str, goes_to: str) -> None:
    form = {"email": EMAIL, "password": PASSWORD, "back": back}
    answer = client.post("/login", data=form, follow_redirects=False)
    assert answer.headers["location"] == goes_to
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    ("trusted", "counted"), [("127.0.0.1", "192.0.2.7"), ("192.0.2.1", "127.0.0.1")]
)
def test_address_is_the_clients_only_by_a_trusted_proxys_word(
    tmp_path: Path, trusted: str, counted: str
) -> None:
    settings = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "TRUSTED_PROXIES": trusted}
    with running_server(tmp_path, 0, **settings) as server:
        answer = server.http.post(
            LOGIN, json={"email": EMAIL, "password": "x"}, headers={"X-Forwarded-For": "192.0.2.7"}
        )
        assert answer.status_code == 401
    assert f"login of '{EMAIL}' from {counted}: refused" in server.log.read_text()


def test_admin_of_the_settings_is_made_once(open_with: OpenServices) -> None:
    values = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "ADMIN_EMAIL": "Root@Example.org"}
    first = open_with(**values, ADMIN_PASSWORD_HASH=HASH.replace("$", "$$"))
    client = client_of(first)
    assert login(client, "root@example.org") == 200
    with first.db.write() as session:
        users.set_password(session, "root@example.org", passwords.hash_password("another", 1000))
    open_with(**values, ADMIN_PASSWORD_HASH=HASH)  # a restart
    assert login(client, "root@example.org") == 401
    assert login(client, "root@example.org", "another") == 200
    other = passwords.hash_password("a third one", 1000)
    open_with(**values, ADMIN_PASSWORD_HASH=other)
    assert login(client, "root@example.org", "a third one") == 200


def test_processes_that_start_at_once_make_one_account(open_with: OpenServices) -> None:
    """Each makes the account of the settings when it starts."""
    values = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "ADMIN_EMAIL": "root@example.org"}
    opened = open_with(**values)
    chosen = opened.settings.model_copy(update={"ADMIN_PASSWORD_HASH": SecretStr(HASH)})
    at_once = threading.Barrier(8)

    def start() -> None:
        at_once.wait()
        users.provision_admin(opened.db, chosen)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(start) for _ in range(8)]:
            done.result()
    assert login(client_of(opened), "root@example.org") == 200


def test_error_of_the_database_names_no_value(services: Services) -> None:
    def make() -> None:
        with services.db.write() as session:
            session.add(User(email=EMAIL, authentik_uid="same", password_hash="a secret hash"))

    make()
    with pytest.raises(IntegrityError) as failed:
        make()
    assert "a secret hash" not in str(failed.value)


def test_logout_clears_what_the_browser_has_kept(client: TestClient) -> None:
    answer = client.post("/logout", follow_redirects=False)
    assert answer.headers["clear-site-data"] == '"cache", "storage"'


def test_token_of_a_removed_account_is_refused(client: TestClient, services: Services) -> None:
    headers = bearer(client)
    assert client.get("/v1/me", headers=headers).json() is not None
    with services.db.write() as session:
        session.delete(session.scalars(select(User).where(User.email == EMAIL)).one())
    assert client.get("/v1/transcripts", headers=headers).status_code == 401
