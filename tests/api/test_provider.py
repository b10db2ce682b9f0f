"""AUTH_BACKEND=jwt: a PEM file or an issuer, bearer tokens and the login in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey

from reflector.accounts import identity, provider, users
from reflector.db.models import User
from reflector.errors import ConfigurationError
from tests.api.people import SECRET, make_transcript
from tests.conftest import OpenServices, client_of
from tests.doubles.identity_provider import (
    AUDIENCE,
    CLIENT,
    CLIENT_SECRET,
    IdentityProvider,
    identity_provider,
)


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    monkeypatch.setattr(identity, "REMEMBER_SECONDS", 0.0)
    monkeypatch.setattr(provider, "REFETCH_SECONDS", 0.0)
    with identity_provider() as started:
        yield started


def with_issuer(open_with: OpenServices, idp: IdentityProvider, **more: Any) -> TestClient:
    return client_of(
        open_with(
            AUTH_BACKEND="jwt", SECRET_KEY=SECRET, AUTH_OIDC_ISSUER=idp.issuer,
            AUTH_JWT_AUDIENCE=AUDIENCE, AUTH_OIDC_CLIENT_ID=CLIENT,
            AUTH_OIDC_CLIENT_SECRET=CLIENT_SECRET, **more,
        )
    )  # fmt: skip


def me(client: TestClient, token: str) -> Any:
    answer = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.json() if answer.status_code == 200 else answer.status_code


def test_token_of_the_issuer_makes_a_local_account(
    open_with: OpenServices, idp: IdentityProvider
) -> None:
    client = with_issuer(open_with, idp)
    first = me(client, idp.token())
    assert first["email"] == "anna@example.org"
    assert first["sub"] != "person-1"
    assert me(client, idp.token(email="new@example.org")) == {
        "sub": first["sub"], "email": "new@example.org",
    }  # fmt: skip
    assert client.post("/v1/auth/login", json={}).status_code == 404


def test_keys_that_rotate_are_followed(open_with: OpenServices, idp: IdentityProvider) -> None:
    client = with_issuer(open_with, idp)
    before = idp.token()
    assert me(client, before)["email"] == "anna@example.org"
    idp.rotate()
    assert me(client, idp.token())["email"] == "anna@example.org"
    assert me(client, before) == 401


@pytest.mark.parametrize(
    "change",
    [{"aud": "another"}, {"iss": "http://another.example"}, {"exp": 1}, {"email": None}, {"sub": None}],
)  # fmt: skip
def test_token_for_somebody_else_is_refused(
    open_with: OpenServices, idp: IdentityProvider, change: dict[str, Any]
) -> None:
    assert me(with_issuer(open_with, idp), idp.token(**change)) == 401


def test_forged_token_is_refused(open_with: OpenServices, idp: IdentityProvider) -> None:
    client = with_issuer(open_with, idp)
    token = idp.token()
    assert me(client, token[:-6] + "AAAAAA") == 401
    header, body, _ = token.split(".")
    assert me(client, f"{header}.{body}.") == 401


def test_login_in_a_browser_by_code_with_pkce(
    open_with: OpenServices, idp: IdentityProvider
) -> None:
    client = with_issuer(open_with, idp)
    begun = client.get("/login?back=/trash", follow_redirects=False)
    address = begun.headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert query["redirect_uri"] == "http://127.0.0.1:1250/login/callback"
    assert query["scope"] == "openid email profile"
    returned = httpx2.get(address).headers["location"]
    done = client.get(returned, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/trash")
    assert client.get("/v1/me").json()["email"] == "anna@example.org"
    # The code is good once, and the answer of one login not for another
    assert client.get(returned, follow_redirects=False).status_code == 401


def test_answer_of_another_login_is_refused(open_with: OpenServices, idp: IdentityProvider) -> None:
    client = with_issuer(open_with, idp)
    address = client.get("/login", follow_redirects=False).headers["location"]
    returned = httpx2.get(address).headers["location"]
    client.get("/login", follow_redirects=False)  # the browser has begun anew: another state
    refused = client.get(returned, follow_redirects=False)
    assert refused.status_code == 401
    assert "did not work" in refused.text
    client.cookies.clear()
    assert client.get(returned, follow_redirects=False).status_code == 401
    assert client.get("/login/callback?error=access_denied").status_code == 401


def test_pem_file_instead_of_an_issuer(
    open_with: OpenServices, idp: IdentityProvider, tmp_path: Path
) -> None:
    pem = tmp_path / "key.pem"
    pem.write_bytes(idp.key.as_pem(private=False))
    values = {"AUTH_BACKEND": "jwt", "SECRET_KEY": SECRET, "AUTH_JWT_AUDIENCE": AUDIENCE}
    client = client_of(open_with(**values, AUTH_JWT_PUBLIC_KEY=str(pem)))
    assert me(client, idp.token())["email"] == "anna@example.org"
    assert me(client, idp.token(aud="another")) == 401
    for name in ("missing.pem", "broken.pem"):
        (tmp_path / "broken.pem").write_text("no key")
        with pytest.raises(ConfigurationError, match=name):
            open_with(**values, AUTH_JWT_PUBLIC_KEY=str(tmp_path / name))


def test_provider_that_is_away_is_a_503(open_with: OpenServices) -> None:
    with identity_provider() as idp:
        client = with_issuer(open_with, idp)
        token = idp.token()
    answer = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    assert "identity provider" in answer.json()["detail"]


def test_without_an_audience_of_its_own_a_token_has_to_be_for_this_program(
    open_with: OpenServices, idp: IdentityProvider
) -> None:
    """A provider signs for many programs; a token for any of them, or for none, was accepted."""
    settings = {"AUTH_BACKEND": "jwt", "SECRET_KEY": SECRET, "AUTH_OIDC_ISSUER": idp.issuer}
    client = client_of(open_with(**settings, AUTH_OIDC_CLIENT_ID=CLIENT))
    assert me(client, idp.token(aud=CLIENT))["email"] == "anna@example.org"
    assert me(client, idp.token(aud="another")) == 401
    assert me(client, idp.token(aud=None)) == 401
    with pytest.raises(ConfigurationError, match="for whom its tokens have to be"):
        open_with(**settings)


def test_link_signed_with_the_secret_opens_audio_as_in_the_reference(
    open_with: OpenServices, idp: IdentityProvider, tmp_path: Path
) -> None:
    client = with_issuer(open_with, idp)
    own = me(client, idp.token())["sub"]
    services = client.app.state.services  # type: ignore[attr-defined]
    transcript = make_transcript(services, user_id=own)
    (tmp_path / "a").write_bytes(b"sound")
    services.storage.adopt(tmp_path / "a", f"{transcript}/audio.mp3")
    key = OctKey.import_key(SECRET.encode())

    def status(subject: str, signed_by: OctKey) -> int:
        claims = {"sub": subject, "exp": int(time.time()) + 900}
        token = jwt.encode({"alg": "HS256"}, claims, signed_by)
        path = f"/v1/transcripts/{transcript}/audio/mp3"
        found = client.get(path, params={"token": token}, follow_redirects=False)
        return found.status_code

    assert status(own, key) in {200, 307}
    assert status("somebody-else", key) == 403
    assert status(own, OctKey.import_key(b"another secret of enough length")) == 401
    # In the header it is no login: those come from the provider
    token = jwt.encode({"alg": "HS256"}, {"sub": own, "exp": int(time.time()) + 900}, key)
    assert me(client, token) == 401


def test_disabled_account_is_refused_whatever_the_provider_says(
    open_with: OpenServices, idp: IdentityProvider
) -> None:
    client = with_issuer(open_with, idp)
    own = me(client, idp.token())["sub"]
    with client.app.state.services.db.write() as session:  # type: ignore[attr-defined]
        users.disable(session, session.get_one(User, own))
    assert me(client, idp.token()) == 401
