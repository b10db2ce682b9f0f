"""What ends a login: logout, time, a changed password, an account that is disabled or removed."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from reflector.accounts import identity, passwords, sessions, users
from reflector.db.models import LoginSession, Transcript, User, UserApiKey, now
from reflector.errors import InvalidInput
from reflector.services import Services
from reflector.web.account import browser_name
from tests.api.people import PASSWORD, SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices, client_of

EMAIL = "anna@example.org"
ENDED = "Invalid authentication"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ITERATIONS", 1000)
    monkeypatch.setattr(identity, "REMEMBER_SECONDS", 0.0)


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)


@pytest.fixture
def anna(services: Services) -> Person:
    return make_person(services, EMAIL, passwords.hash_password(PASSWORD))


def browser(services: Services, agent: str = "Firefox") -> TestClient:
    """Logged in as Anna."""
    client = client_of(services)
    client.headers["User-Agent"] = agent
    form = {"email": EMAIL, "password": PASSWORD}
    assert client.post("/login", data=form, follow_redirects=False).status_code == 303
    assert is_in(client)
    return client


def is_in(client: TestClient) -> bool:
    return client.get("/v1/me").json() is not None


def test_cookie_is_worth_nothing_after_logout(services: Services, anna: Person) -> None:
    client, other = browser(services), browser(services)
    cookie = client.cookies["reflector_session"]
    client.post("/logout")
    thief = client_of(services)
    thief.cookies.set("reflector_session", cookie)
    assert not is_in(thief)
    assert is_in(other)


def test_login_ends_the_session_that_the_browser_had(services: Services, anna: Person) -> None:
    client = browser(services)
    before = client.cookies["reflector_session"]
    client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    thief = client_of(services)
    thief.cookies.set("reflector_session", before)
    assert not is_in(thief)


@pytest.mark.parametrize(
    ("column", "limit"), [("last_seen_at", sessions.IDLE), ("created_at", sessions.LONGEST)]
)
def test_session_ends_by_time(
    services: Services, anna: Person, column: str, limit: timedelta
) -> None:
    client = browser(services)

    def since(age: timedelta) -> None:
        with services.db.write() as session:
            session.execute(update(LoginSession).values({column: now() - age}))

    since(limit - timedelta(minutes=1))
    assert is_in(client)
    since(limit + timedelta(minutes=1))
    assert not is_in(client)
    with services.db.write() as session:
        assert sessions.remove_ended(session) == 1
        assert session.scalars(select(LoginSession)).all() == []


def test_use_keeps_a_session_going(services: Services, anna: Person) -> None:
    client = browser(services)
    with services.db.write() as session:
        session.execute(update(LoginSession).values(last_seen_at=now() - timedelta(days=6)))
    assert is_in(client)
    with services.db.read() as session:
        (row,) = sessions.of_account(session, anna.id)
    assert now() - row.last_seen_at < timedelta(minutes=5)


def test_changed_password_ends_sessions_tokens_and_keys(services: Services, anna: Person) -> None:
    client = browser(services)
    with services.db.write() as session:
        users.set_password(session, EMAIL, passwords.hash_password("another one"))
    assert not is_in(client)
    other = client_of(services)
    assert other.get("/v1/me", headers=anna.bearer).json()["detail"] == ENDED
    assert other.get("/v1/me", headers=anna.key).json() is None


def test_disabled_account_has_no_way_in_and_comes_back(services: Services, anna: Person) -> None:
    client = browser(services)
    with services.db.write() as session:
        users.disable(session, session.get_one(User, anna.id))
    assert not is_in(client)
    other = client_of(services)
    assert other.get("/v1/me", headers=anna.bearer).status_code == 401
    answer = other.get("/v1/transcripts", headers=anna.key)
    assert answer.json()["detail"] == "The account of this API key is disabled."
    form = {"email": EMAIL, "password": PASSWORD}
    refused = other.post("/v1/auth/login", json=form)
    assert refused.json()["detail"] == identity.DISABLED
    wrong = other.post("/v1/auth/login", json={**form, "password": "wrong"})
    assert wrong.json()["detail"] == "Invalid email or password"
    with services.db.write() as session:
        session.get_one(User, anna.id).disabled_at = None
    assert other.get("/v1/me", headers=anna.key).json()["sub"] == anna.id
    assert other.get("/v1/me", headers=anna.bearer).json()["detail"] == ENDED
    assert is_in(browser(services))


def test_removed_account_leaves_its_recordings_to_somebody(
    services: Services, anna: Person
) -> None:
    bert = make_person(services, "bert@example.org")
    transcript = make_transcript(services, user_id=anna.id)
    client = browser(services)
    with services.db.write() as session:
        user = session.get_one(User, anna.id)
        with pytest.raises(InvalidInput, match="owns 1 recordings or rooms"):
            users.remove(session, user, None)
        users.remove(session, user, session.get_one(User, bert.id))
    assert not is_in(client)
    other = client_of(services)
    assert other.get("/v1/me", headers=anna.key).json() is None
    assert other.get("/v1/me", headers=anna.bearer).json()["detail"] == ENDED
    with services.db.read() as session:
        assert session.get_one(Transcript, transcript).user_id == bert.id
        assert session.scalars(select(UserApiKey.user_id)).all() == [bert.id]


def test_expired_key_says_so(services: Services, anna: Person) -> None:
    client = client_of(services)
    made = client.post("/v1/user/api-keys", json={"expires_in_days": 1}, headers=anna.bearer)
    by_key = {"X-API-Key": made.json()["key"]}
    assert client.get("/v1/me", headers=by_key).json()["sub"] == anna.id
    listed = client.get("/v1/user/api-keys", headers=anna.bearer).json()[0]
    assert listed["last_used_at"] is not None
    with services.db.write() as session:
        session.execute(update(UserApiKey).values(expires_at=now() - timedelta(days=1)))
    answer = client.get("/v1/me", headers=by_key)
    assert answer.status_code == 401
    assert "This API key expired on " in answer.json()["detail"]


def test_old_key_without_an_end_still_works(services: Services, anna: Person) -> None:
    with services.db.write() as session:
        session.execute(update(UserApiKey).values(expires_at=None))
    assert client_of(services).get("/v1/me", headers=anna.key).json()["sub"] == anna.id


# The page


def test_own_password_is_changed_on_the_page(services: Services, anna: Person) -> None:
    client, other = browser(services), browser(services, "Chrome on the train")
    assert "Chrome on the train" in client.get("/account").text
    form = {"current": PASSWORD, "new": "a better passphrase", "again": "a better passphrase"}
    for wrong, said in [
        ({"current": "wrong"}, "The current password is not right."),
        ({"again": "x"}, "The two new passwords are not the same."),
        ({"new": "password1", "again": "password1"}, "easy to guess"),
        ({"new": "short", "again": "short"}, "8 are the least"),
    ]:
        answer = client.post("/account/password", data={**form, **wrong})
        assert answer.status_code == 400
        assert said in answer.text
    assert is_in(other)
    assert "The password is changed." in client.post("/account/password", data=form).text
    assert is_in(client)
    assert not is_in(other)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.14", "curl/8.14"), ("", "A browser"),
    ],
)  # fmt: skip
def test_browsers_have_names_that_people_know(agent: str, name: str) -> None:
    assert browser_name(agent) == name


def test_sign_out_everywhere(services: Services, anna: Person) -> None:
    client, other = browser(services), browser(services)
    client.post("/account/sign-out-everywhere")
    assert not is_in(client)
    assert not is_in(other)
    assert other.get("/v1/me", headers=anna.bearer).json()["detail"] == ENDED
    assert other.get("/v1/me", headers=anna.key).json()["sub"] == anna.id


def test_key_is_made_and_removed_on_the_page(services: Services, anna: Person) -> None:
    client = browser(services)
    text = client.post("/account/keys", data={"name": "<b>backup</b>"}).text
    key = text.partition('<code class="key">')[2].partition("<")[0]
    assert client_of(services).get("/v1/me", headers={"X-API-Key": key}).json()["sub"] == anna.id
    assert "&lt;b&gt;backup" in text
    with services.db.read() as session:
        stored = session.scalars(select(UserApiKey).where(UserApiKey.name.is_not(None))).all()
    (made,) = [row for row in stored if row.name == "<b>backup</b>"]
    client.post(f"/account/keys/{made.id}/remove")
    assert client_of(services).get("/v1/me", headers={"X-API-Key": key}).json() is None


@pytest.mark.parametrize("path", ["password", "sign-out-everywhere", "keys", "keys/x/remove"])
def test_another_sites_page_changes_no_account(services: Services, anna: Person, path: str) -> None:
    client = browser(services)
    answer = client.post(f"/account/{path}", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert is_in(client)


def test_page_is_for_people_who_are_logged_in(services: Services, anna: Person) -> None:
    answer = client_of(services).get("/account", follow_redirects=False)
    assert answer.headers["location"] == "/login?back=/account"


# The commands


def test_commands_disable_enable_sign_out_and_remove(
    services: Services, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reflector.cli import cli

    monkeypatch.setenv("DATABASE_URL", services.settings.database_url)
    monkeypatch.setenv("SECRET_KEY", SECRET)

    def admin(*words: str) -> str:
        result = CliRunner().invoke(cli, ["admin", *words])
        return result.output + str(result.exception or "")

    client = browser(services)
    assert "out of 1 browsers" in admin("sign-out", EMAIL.upper())
    assert not is_in(client)
    assert f"Disabled {EMAIL}." in admin("disable", EMAIL)
    assert "disabled" in admin("list")
    assert "Enabled" in admin("enable", anna.id)
    assert "is an administrator" in admin("promote", EMAIL)
    assert "administrator" in admin("list")
    assert "is the last administrator" in admin("demote", EMAIL)
    assert "There is no account nobody@" in admin("disable", "nobody@example.org")
    assert "Removed" in admin("remove", EMAIL)
    assert "There are no accounts." in admin("list")


def test_cookie_over_https_is_for_this_host_only(services: Services, anna: Person) -> None:
    client = client_of(services, base_url="https://meetings.example")
    form = {"email": EMAIL, "password": PASSWORD}
    answer = client.post("/login", data=form, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-reflector_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert is_in(client)
    # One without the prefix, which another host of the domain could set, counts for nothing
    token = cookie.partition("=")[2].partition(";")[0]
    thief = client_of(services, base_url="https://meetings.example")
    thief.cookies.set("reflector_session", token)
    assert not is_in(thief)


def test_request_for_what_is_anothers_is_logged(
    services: Services, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    bert = make_person(services, "bert@example.org")
    transcript = make_transcript(services, user_id=anna.id)
    path = f"/v1/transcripts/{transcript}"
    with caplog.at_level("INFO"):
        assert client_of(services).get(path, headers=bert.bearer).status_code == 403
    assert f"GET '{path}' from testclient: Transcript access denied" in caplog.text


def test_token_of_a_session_has_256_random_bits(services: Services, anna: Person) -> None:
    tokens = {browser(services).cookies["reflector_session"] for _ in range(3)}
    assert len(tokens) == 3
    assert {len(base64.urlsafe_b64decode(token + "=")) for token in tokens} == {32}
    with services.db.read() as session:
        stored = set(session.scalars(select(LoginSession.token_hash)))
    assert not stored & tokens
