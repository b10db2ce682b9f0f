"""A server below a path, behind proxies that cut the prefix off and such that do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from reflector.app import create_app
from reflector.runtime.settings import Settings
from reflector.services import open_services
from reflector.web.static_files import PREFIX
from tests.api.people import SECRET, make_person
from tests.conftest import HELD_OUT
from tests.server import running_server
from tests.web.test_pages import WIDE, browser, new_page, pytestmark

__all__ = ["browser", "pytestmark"]
ROOT = "/reflector"


@pytest.fixture
def client(make_settings: Callable[..., Settings]) -> Iterator[TestClient]:
    settings = make_settings(ROOT_PATH=ROOT, AUTH_BACKEND="password", SECRET_KEY=SECRET)
    opened = open_services(settings)
    make_person(opened, "anna@example.org")
    yield TestClient(create_app(opened), base_url="http://127.0.0.1:1250")
    opened.close()


@pytest.mark.parametrize("prefix", ["", ROOT], ids=["cut off", "passed on"])
def test_pages_files_and_answers_are_there(client: TestClient, prefix: str) -> None:
    for path in (
        "/login",
        f"{PREFIX}/style.css",
        f"{PREFIX}/dom.js",
        "/v1/config",
        "/health",
        "/docs",
    ):
        answer = client.get(prefix + path)
        assert answer.status_code == 200, path
        if path == "/login":
            assert f'href="{ROOT}{PREFIX}/style.css' in answer.text
            assert "script-src" not in answer.headers["content-security-policy"]
    answer = client.get(f"{prefix}/v1/me")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("prefix", ["", ROOT], ids=["cut off", "passed on"])
def test_redirects_stay_below_the_path(client: TestClient, prefix: str) -> None:
    answer = client.get(f"{prefix}/", follow_redirects=False)
    assert answer.headers["location"].startswith(f"{ROOT}/login?back=")
    answer = client.post(f"{prefix}/logout", follow_redirects=False)
    assert answer.headers["location"] == f"{ROOT}/login"


def test_openapi_names_the_path(client: TestClient) -> None:
    document = json.loads(client.get(f"{ROOT}/openapi.json").text)
    assert document["servers"] == [{"url": ROOT}]


def test_recording_is_uploaded_and_read_in_a_browser(
    browser: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with running_server(tmp_path_factory.mktemp("below"), ROOT_PATH=ROOT) as server:
        context = browser.new_context(viewport=WIDE)  # type: ignore[attr-defined]
        page = new_page(context)
        page.goto(f"{server.url.rstrip('/')}{ROOT}/")
        page.set_input_files("#file", HELD_OUT)
        page.wait_for_url(f"**{ROOT}/transcripts/*")
        page.wait_for_selector(".turn")
        page.wait_for_selector("#player:not([hidden])")
        context.close()
