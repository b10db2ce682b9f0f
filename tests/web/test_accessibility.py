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


def show(page: Any, selector: str) -> None:
    """On a phone, bring up the tab that has the first element of `selector`."""
    for tab in page.locator("[data-show]").all():
        if not page.locator(selector).first.is_visible() and tab.is_visible():
            tab.click()


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
    page.click("#filters summary")
    page.click("#upload-more summary")
    page.click("#record")
    page.locator(".pick").first.check()
    found["list"] = findings(page)
    for path, selector in (
        ("/trash", "#trash-title"),
        ("/account", "h1"),
        ("/summary-templates", "#new"),
        ("/rooms", "#new"),
        ("/webhooks", "#new"),
        ("/administration/storage", "table"),
        ("/offline", "h1"),
        ("/administration", "h1"),
        ("/nowhere", "h1"),
    ):
        page.goto(path)
        page.wait_for_selector(selector)
        found[path] = findings(page)
    open_sample(page, shared)
    page.wait_for_selector(".word")
    found["meeting"] = findings(page)
    for button, dialog in (
        (".turn .who button[title]", "rename"), ("#summary-edit", "summary-dialog"),
        ("#retitle", "retitle-dialog"), ("#copy-open", "copy"), ("#delete", "confirm"),
        ("#replace-open", "replace"), ("#actions .add button", "action"), ("#history-open", "history"),
        ("#tags-open", "tags"), ("#share-open", "share-dialog"),
    ):  # fmt: skip
        show(page, button)
        page.locator(button).first.click()
        found[dialog] = findings(page)
        page.keyboard.press("Escape")
    show(page, ".turn .edit")
    page.locator(".turn").first.hover()
    page.locator(".turn .edit").first.click()
    found["correction"] = findings(page)
    page.keyboard.press("Escape")
    page.click("#download summary")
    found["download"] = findings(page)
    context.close()
    assert {place: each for place, each in found.items() if each} == {}


def test_a_picture_without_words_would_be_found(browser: Any, server: Server) -> None:
    """Axe runs, and under the page's policy."""
    page = new_page(browser)
    page.goto(f"{server.url}/login")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(each.startswith("image-alt") for each in findings(page))
    page.close()
