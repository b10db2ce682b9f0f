"""The pages in other languages: chosen, complete, and from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector import localization
from reflector.accounts.passwords import hash_password
from reflector.http import languages
from tests.api.people import PASSWORD, SECRET, make_person
from tests.conftest import OpenServices, client_of
from tests.server import Server
from tests.web.test_accessibility import findings
from tests.web.test_accounts import log_in, server
from tests.web.test_pages import NARROW, WIDE, browser, new_page, pytestmark
from tests.web.test_rights import owner, shared

__all__ = ["browser", "owner", "pytestmark", "server", "shared"]

# What people said or called something stays as it is; findings of the health are for administrators
CONTENT = (
    "#title, #summary-text, #actions-text [dir=auto], #topics-list [dir=auto], #words-text .word, #meta,"
    ".topic-title, .list strong, .list .summary, .list .meta, .brand, .who, option[value=''] ~ option,"
    "[data-languages] option, .languages, code, #list .tags, #people, a[href$='/docs'], #download a,"
    "li:has(> details), option[value=json], #health-title ~ ul, select[name=heir] option, #models-title ~ ul, #versions-title ~ p"
)
UNMARKED = """(content) => {
  const letters = /\\p{L}{2}/u;
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: box, data } = texts.currentNode;
    if (box.closest("script, style") || box.closest(content)) continue;
    if (letters.test(data) && !data.includes("\\u27e6") && !data.includes("@")) found.push(data.trim());
  }
  for (const name of ["aria-label", "placeholder", "title"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const text = element.getAttribute(name);
      if (letters.test(text) && !text.includes("\\u27e6")) found.push(`${name}: ${text}`);
    }
  }
  return found;
}"""


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"), ("de", "de"), ("de-AT,de;q=0.9", "de"), ("fr,de;q=0.5,en;q=0.7", "en"),
        ("en;q=0.1,de;q=0.8", "de"), ("fr", "en"), ("de;q=0", "en"), ("fr, de; Q=0.5", "de"), (";;;,=,de;q=x", "en"),
        ("DE-de", "de"), ("*", "en"), ("ar-XB", "en"), ("x" * 5000, "en"),
    ],
)  # fmt: skip
def test_browsers_language_decides(client: TestClient, header: str, expected: str) -> None:
    answer = client.get("/", headers={"Accept-Language": header})
    assert answer.headers["content-language"] == expected
    assert f'<html lang="{expected}" dir="ltr"' in answer.text
    assert ("Eine Aufnahme hochladen" in answer.text) == (expected == "de")


def test_choice_wins_over_the_browser_and_leads_back(client: TestClient) -> None:
    form = {"language": "de", "back": "/trash"}
    answer = client.post("/language", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/trash")
    assert "Papierkorb" in client.get("/", headers={"Accept-Language": "en"}).text


def test_language_of_an_account_is_there_in_another_browser(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
    person = make_person(services, "anna@example.org", hash_password(PASSWORD))
    login = {"email": person.email, "password": PASSWORD}
    first, second = client_of(services), client_of(services)
    first.post("/login", data=login)
    first.post("/language", data={"language": "de"})
    assert second.get("/login").headers["content-language"] == "en"
    second.post("/login", data=login)
    assert second.get("/trash").headers["content-language"] == "de"


@pytest.mark.parametrize("language", ["", "xx", "ar-XB", "../de", "\x00"])
def test_language_that_there_is_not_is_refused(client: TestClient, language: str) -> None:
    answer = client.post("/language", data={"language": language}, follow_redirects=False)
    assert answer.status_code in {400, 422}
    assert "set-cookie" not in answer.headers


def test_choice_never_leads_to_another_site(client: TestClient) -> None:
    form = {"language": "de", "back": "//evil.example"}
    answer = client.post("/language", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_error_pages_speak_the_language_too(client: TestClient) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "de"}
    answer = client.get("/nowhere", headers=headers)
    assert "Unter dieser Adresse gibt es nichts" in answer.text
    answer = client.get("/v1/transcripts/none", headers=headers | {"Accept": "*/*"})
    assert answer.json() == {
        "detail": "Transcript not found",
        "code": "not_found",
        "parts": [["Transcript not found", {}]],
    }


def test_plurals_of_modules_follow_the_languages_rules() -> None:
    found = localization.language("de").for_modules
    assert found is not None
    assert found["plurals"] == {"one": 0, "other": 1}
    assert found["texts"]["{number} word"] == ("{number} Wort", "{number} Wörter")


@pytest.fixture
def german(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(viewport=WIDE, base_url=server.url, locale="de-DE")
    yield new_page(context)
    context.close()


def test_meeting_is_read_in_german(german: Any, shared: str) -> None:
    german.goto(f"/login?back=/transcripts/{shared}")
    german.fill("input[name=email]", "nobody@example.org")
    german.fill("input[name=password]", "wrong")
    german.click("form[action='/login'] button")
    log_in(german)
    german.wait_for_selector(".word")
    assert german.inner_text("#status") == "Fertig"
    assert german.inner_text(".turn .who button[title]").startswith("Sprecher ")
    german.click("#share-open")
    german.fill("#share-person [name=email]", "anna@example.org")
    german.click("#share-person button")
    german.wait_for_selector("#share-dialog [data-problem]:not([hidden])")
    problem = german.inner_text("#share-dialog [data-problem]")
    assert problem == "Diese Aufnahme gehört Ihnen schon."
    german.fill("#share-person [name=email]", "nobody@example.org")
    german.click("#share-person button")
    with_hint = (
        "Niemand hat hier ein Konto mit der Adresse nobody@example.org. "
        "Bitten Sie einen Administrator um eines, oder schicken Sie einen Link."
    )
    german.wait_for_selector(f"#share-dialog [data-problem]:text-is('{with_hint}')")
    german.keyboard.press("Escape")
    german.click(".languages button:has-text('English')")
    german.wait_for_selector("html[lang=en]")
    assert german.url.endswith(f"/transcripts/{shared}")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "phone"])
def test_every_text_can_be_translated_and_runs_from_right_to_left(
    browser: Any, server: Server, shared: str, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, base_url=server.url)
    cookie = {"name": languages.COOKIE, "value": localization.PSEUDO, "url": server.url}
    context.add_cookies([cookie])
    page = new_page(context)
    found: dict[str, Any] = {}

    def look(place: str) -> None:
        assert page.evaluate("document.documentElement.dir") == "rtl"
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[place] = [
            *page.evaluate(UNMARKED, CONTENT),
            *findings(page),
            *(["too wide"] if wide > 0 else []),
        ]

    page.goto("/login")
    look("login")
    log_in(page)
    page.wait_for_selector(".list li")
    page.locator(".pick").first.check()
    look("list")
    page.click("#bulk-clear")
    for path in ("/trash", "/account", "/administration", "/nowhere"):
        page.goto(path)
        page.wait_for_selector("h1")
        look(path)
    page.goto(f"/transcripts/{shared}")
    page.wait_for_selector(".word", state="attached")
    look("meeting")
    context.close()
    assert {place: each for place, each in found.items() if each} == {}
