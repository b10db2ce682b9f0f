"""What axe-core finds on each page: light and dark, on a desk and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server import Server
from tests.web.test_accounts import log_in, server
from tests.web.test_pages import NARROW, WIDE, browser, new_page, open_sample, pytestmark
from tests.web.test_rights import owner, shared

__all__ = ["browser", "owner", "pytestmark", "server", "shared"]


def findings(page: Any) -> list[str]:
    """Return each violation with where it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {node['target']} {node['html'][:120]}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "phone"])
def test_nothing_is_found(
    browser: Any, server: Server, shared: str, scheme: str, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, base_url=server.url, color_scheme=scheme)
    page = new_page(context)
    found: dict[str, list[str]] = {}
    page.goto("/login")
    found["login"] = findings(page)
    log_in(page)
    page.wait_for_selector(".list li")
    found["list"] = findings(page)
    for path, selector in (("/trash", "#trash-title"), ("/account", "h1"), ("/nowhere", "h1")):
        page.goto(path)
        page.wait_for_selector(selector)
        found[path] = findings(page)
    open_sample(page, shared)
    page.wait_for_selector(".word")
    found["meeting"] = findings(page)
    page.locator(".turn .who button[title]").first.click()
    found["dialog"] = findings(page)
    context.close()
    assert {place: each for place, each in found.items() if each} == {}


def test_a_picture_without_words_would_be_found(browser: Any, server: Server) -> None:
    """Axe runs, and under the page's policy."""
    page = new_page(browser)
    page.goto(f"{server.url}/login")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(each.startswith("image-alt") for each in findings(page))
    page.close()
