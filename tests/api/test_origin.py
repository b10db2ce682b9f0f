"""Other sites' pages in a visitor's browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from reflector.app import create_app
from reflector.errors import ConfigurationError
from reflector.runtime.settings import Settings
from reflector.services import open_services

EVIL = {"origin": "https://evil.example"}


def test_foreign_page_may_neither_write_nor_read(client: TestClient) -> None:
    assert client.post("/v1/transcripts", json={"name": "x"}, headers=EVIL).status_code == 403
    answer = client.get("/v1/transcripts", headers=EVIL)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_foreign_page_may_not_open_the_events(client: TestClient) -> None:
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect(f"/v1/transcripts/{transcript_id}/events", headers=EVIL),
    ):
        pass
    assert refused.value.status_code == 403


def test_name_that_was_rebound_to_loopback_is_refused(services_client: TestClient) -> None:
    answer = services_client.get("/v1/transcripts", headers={"host": "evil.example:1250"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.5:1250", 200), ("[fd00::5]:1250", 200), ("reflector", 200), ("reflector.local:80", 200),
     ("meetings.example", 200), ("evil.example", 403), ("evil.local.example", 403), ("[bad", 200)],
)  # fmt: skip
def test_name_that_was_rebound_to_an_office_server_is_refused(
    make_settings: Callable[..., Settings], host: str, status: int
) -> None:
    """Without accounts, on an address that is not loopback."""
    opened = open_services(make_settings(BASE_URL="https://meetings.example"))
    office = TestClient(create_app(opened), base_url="http://192.168.1.5:1250")
    assert office.get("/v1/transcripts", headers={"host": host}).status_code == status
    opened.close()


@pytest.fixture
def services_client(client: TestClient) -> TestClient:
    """A client that talks to 127.0.0.1, as the server sees it."""
    return TestClient(client.app, base_url="http://127.0.0.1:1250")


def test_own_page_may_do_everything(client: TestClient) -> None:
    own = {"origin": "http://127.0.0.1:1250"}
    assert client.post("/v1/transcripts", json={"name": "x"}, headers=own).status_code == 200


def test_origin_that_the_operator_named_is_let_in(make_settings: Callable[..., Settings]) -> None:
    opened = open_services(make_settings(CORS_ORIGIN="https://app.example"))
    other = TestClient(create_app(opened), base_url="http://127.0.0.1:1250")
    answer = other.get("/v1/transcripts", headers={"origin": "https://app.example"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    # A proxy on this machine passes on the name under which it was asked
    assert other.get("/v1/transcripts", headers={"host": "app.example"}).status_code == 200
    assert other.get("/v1/transcripts", headers={"host": "evil.example"}).status_code == 403
    opened.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRANSCRIPT_BACKEND", "modal"),
        ("DIARIZATION_BACKEND", "modal"),
        ("TRANSLATION_BACKEND", "modal"),
    ],
)
def test_setting_that_would_be_ignored_stops_the_start(
    make_settings: Callable[..., Settings], name: str, value: str
) -> None:
    settings = make_settings(**{name: value}, SECRET_KEY="a-real-secret-of-some-length")
    opened = open_services(settings)
    with pytest.raises(ConfigurationError, match=name):
        create_app(opened)
    opened.close()
