"""Login, trash and logout in a real browser, on a server with accounts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.people import PASSWORD, SECRET
from tests.conftest import HELD_OUT
from tests.environment import inherited
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.web.test_pages import NARROW, WIDE, browser, new_page, pytestmark

__all__ = ["browser", "pytestmark"]
EMAIL = "anna@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("accounts")
    settings = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "DATA_DIR": str(data)}
    subprocess.run(
        [sys.executable, "-m", "reflector", "admin", "create", EMAIL, "--admin", "--password-file", "-"],
        input=PASSWORD, text=True, check=True, cwd=data, capture_output=True,
        env={**settings, **inherited(), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    with running_server(
        data, AUTH_BACKEND="password", SECRET_KEY=SECRET, **WITHOUT_SPEAKERS
    ) as started:
        yield started


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport=WIDE, base_url=server.url)
    opened = new_page(context)
    yield opened
    context.close()


def log_in(page: Any, password: str = PASSWORD, email: str = EMAIL.upper()) -> None:
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.click("form[action='/login'] button")


def test_login_leads_back_and_logout_ends_it(page: Any) -> None:
    page.goto("/trash")
    assert page.url.endswith("/login?back=/trash")
    log_in(page, "wrong password")
    page.wait_for_selector("[role=alert]")
    assert page.inner_text("[role=alert]") == "Invalid email or password"
    log_in(page)
    page.wait_for_selector("#trash-title")
    assert page.evaluate("document.cookie") == ""
    page.click("text=Log out")
    page.wait_for_url("**/login")
    page.goto("/")
    assert "/login" in page.url


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_upload_delete_restore_and_destroy(page: Any, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    page.goto("/")
    log_in(page)
    page.wait_for_selector("#choose")
    page.set_input_files("#file", HELD_OUT)
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".turn")
    page.wait_for_selector("#player:not([hidden])")
    page.click("#delete")
    page.click("#confirm button[value=ok]")
    page.wait_for_selector("#choose")
    page.goto("/trash")
    page.wait_for_selector(".trashed")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]
    page.click("text=Restore")
    page.wait_for_selector("#empty:not([hidden])")
    page.goto("/")
    page.wait_for_selector("#list a")
    page.click("#list a")
    page.click("#delete")
    page.click("#confirm button[value=ok]")
    page.wait_for_selector("#choose")
    page.goto("/trash")
    page.click(".trashed .danger")
    page.click("#confirm button[value=ok]")
    page.wait_for_selector("#empty:not([hidden])")


def test_session_ends_when_the_password_changes(page: Any, server: Server) -> None:
    page.goto("/")
    log_in(page)
    page.wait_for_selector("#choose")
    settings = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "DATA_DIR": str(server.data)}
    subprocess.run(
        [sys.executable, "-m", "reflector", "admin", "set-password", EMAIL, "--password-file", "-"],
        input=PASSWORD, text=True, check=True, cwd=server.data, capture_output=True,
        env={**settings, **inherited(), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    page.wait_for_url("**/login*")
