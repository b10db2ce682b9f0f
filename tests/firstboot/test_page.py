"""The setup page, over TLS and in a real browser: who gets in, what it takes, when it is gone."""

from __future__ import annotations

import re
import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from appliance.config.model import ApplianceConfig, LanguageModelOn, SpeechOn
from appliance.firstboot import page
from appliance.firstboot.certificate import Certificate, make
from appliance.firstboot.code import FREE_TRIES, LONGEST_WAIT, Code
from appliance.firstboot.page import Filled, Server
from tests.appliance.planning import facts_of
from tests.waiting import wait_until

CHROMIUM = shutil.which("chromium")
PASSWORD = "correct horse"
ANSWERS = {
    "admin": "you@example.org",
    "password": PASSWORD,
    "again": PASSWORD,
    "speech": "cpu",
    "place": "none",
}


@dataclass
class Setup:
    url: str
    http: httpx2.Client
    certificate: Certificate
    codes: list[str] = field(default_factory=list)
    received: list[Filled] = field(default_factory=list)

    def send(self, **answers: str) -> httpx2.Response:
        return self.http.post("/", data={"code": self.codes[-1], **ANSWERS, **answers})


@pytest.fixture(params=[{}], ids=["no card"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    codes: list[str] = []
    received: list[Filled] = []
    certificate = make(tmp_path, ["127.0.0.1", "localhost"])
    app = page.app(
        facts_of(request.param), ApplianceConfig(), Code(codes.append), received.append, None
    )
    server = Server(app, certificate, "127.0.0.1", 0)
    server.start()
    port = wait_until(lambda: server.port, "the setup page")
    context = ssl.create_default_context(cafile=str(certificate.file))
    with httpx2.Client(base_url=f"https://localhost:{port}", verify=context) as http:
        yield Setup(f"https://localhost:{port}", http, certificate, codes, received)
    server.stop()


def test_whoever_has_the_code_becomes_the_administrator(setup: Setup) -> None:
    answer = setup.send(
        domain="meetings.example.org",
        place="elsewhere",
        url="https://llm.example.org/v1",
        llm_model="m",
    )
    assert answer.status_code == 200
    assert "https://meetings.example.org" in answer.text
    [filled] = setup.received
    assert filled.password == PASSWORD
    assert filled.config.access.admin == "you@example.org"
    assert filled.config.speech.on is SpeechOn.CPU
    assert filled.config.llm.on is LanguageModelOn.EXTERNAL
    assert filled.config.proxy.domain == "meetings.example.org"


def test_nobody_gets_in_without_the_code(setup: Setup) -> None:
    assert setup.send(code="AAAA-AAAA").status_code == 403
    assert setup.send(code="").status_code == 403
    assert setup.received == []


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_wrong_codes_cost_their_address_more_and_more_time() -> None:
    clock, shown = Clock(), list[str]()
    code = Code(shown.append, clock)
    waits = []
    for _ in range(FREE_TRIES + 8):
        assert not code.is_right("AAAA-AAAA", "192.0.2.1")
        waits.append(code.wait_seconds("192.0.2.1"))
        clock.now += waits[-1]
    assert waits == [0] * FREE_TRIES + [2, 4, 8, 16, 32, 60, 60, 60]
    code.is_right("AAAA-AAAA", "192.0.2.1")
    assert not code.is_right(shown[0], "192.0.2.1")
    clock.now += LONGEST_WAIT
    assert code.is_right(shown[0].lower().replace("-", " "), "192.0.2.1")


def test_guesses_of_one_do_not_change_the_code_of_another() -> None:
    """Five wrong guesses made the code on the screen useless, for anybody who could reach the page."""
    clock, shown = Clock(), list[str]()
    code = Code(shown.append, clock)
    for _ in range(200):
        code.is_right("AAAA-AAAA", "192.0.2.1")
        clock.now += 0.01
    clock.now += 1
    assert shown == [code.shown]
    assert code.wait_seconds("192.0.2.2") == 0
    assert code.is_right(shown[0], "192.0.2.2")


def test_guesses_from_everywhere_are_few() -> None:
    clock = Clock()
    code = Code(lambda _: None, clock)
    looked_at = 0
    for number in range(10_000):
        address = f"2001:db8::{number:x}"
        looked_at += code.wait_seconds(address) == 0
        code.is_right("AAAA-AAAA", address)
        clock.now += 0.001
    assert looked_at <= 60


def test_page_says_how_long_to_wait(setup: Setup) -> None:
    answers = [setup.send(code="AAAA-AAAA") for _ in range(FREE_TRIES + 3)]
    assert answers[-1].status_code == 429
    assert "Try again in" in answers[-1].text
    assert setup.received == []


def test_second_one_cannot_take_the_machine(setup: Setup) -> None:
    setup.send()
    late = setup.send(admin="thief@example.org")
    assert "being set up" in late.text
    assert len(setup.received) == 1


def test_of_many_who_send_at_once_one_sets_the_machine_up(setup: Setup) -> None:
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda n: setup.send(domain=f"m{n}.example.org").text, range(8)))
    assert len(setup.received) == 1
    url = f"https://{setup.received[0].config.proxy.domain}"
    assert all(url in page for page in pages)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"again": "another horse"}, "not the same"),
        ({"password": "short", "again": "short"}, "8 are the least"),
        ({"admin": "nobody"}, "not an e-mail address"),
        ({"domain": "not a domain"}, "domain"),
        ({"place": "elsewhere", "url": ""}, "external"),
        ({"speech": "quantum"}, "cpu or gpu"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_answer_that_cannot_be_is_said_and_nothing_is_taken(
    setup: Setup, answers: dict[str, str], sentence: str
) -> None:
    answer = setup.send(**answers)
    assert answer.status_code == 400
    assert sentence in answer.text
    assert setup.received == []
    assert PASSWORD not in answer.text


def test_page_runs_no_script_and_is_framed_by_nobody(setup: Setup) -> None:
    answer = setup.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert not re.search(r"(src|href)=\"?(https?:)?//", answer.text)


def test_fingerprint_of_the_console_is_that_of_the_page(setup: Setup) -> None:
    import hashlib
    import socket

    host, port = "127.0.0.1", int(setup.url.rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(setup.certificate.file))
    with (
        socket.create_connection((host, port)) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    assert shown
    assert hashlib.sha256(shown).hexdigest().upper() == setup.certificate.fingerprint.replace(
        ":", ""
    )
    assert setup.certificate.key.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [1280, 360])
def test_form_is_filled_by_keyboard_in_a_browser(setup: Setup, width: int) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        context = browser.new_context(
            ignore_https_errors=True, viewport={"width": width, "height": 800}
        )
        tab = context.new_page()
        tab.goto(setup.url)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("document.activeElement.id") == "code"
        _type(tab, setup.codes[-1], "you@example.org", PASSWORD, PASSWORD)
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=Reflector is being set up")
        browser.close()
    assert setup.received[0].config.access.admin == "you@example.org"


def _type(tab: Any, code: str, admin: str, *passwords: str) -> None:
    tab.keyboard.type(code)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Control+A")
    tab.keyboard.type(admin)
    for password in passwords:
        tab.keyboard.press("Tab")
        tab.keyboard.type(password)
