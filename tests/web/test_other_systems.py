"""What goes to other systems and comes from them, on the pages: webhooks, e-mail, calendars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.calendars.feeds import event, feed, serving
from tests.conftest import SAMPLE
from tests.mail.mail_server import MailServer, taking_mail
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.waiting import wait_until
from tests.web.test_pages import browser, new_page, pytestmark
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["browser", "pytestmark"]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[MailServer]:
    with taking_mail() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mailbox: MailServer) -> Iterator[Server]:
    """It works off its own schedule each second."""
    folder: Path = tmp_path_factory.mktemp("systems")
    with running_server(
        folder, ALLOWED_INTERNAL_ADDRESSES="127.0.0.1", CELERY_BEAT_POLL_INTERVAL="1",
        SMTP_HOST="127.0.0.1", SMTP_PORT=str(mailbox.port), SMTP_USE_TLS="false",
        SMTP_FROM_EMAIL="reflector@example.org", **WITHOUT_SPEAKERS,
    ) as started:  # fmt: skip
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    context = browser.new_context(base_url=server.url)
    opened = new_page(context)
    yield opened
    context.close()


def test_webhook_is_made_tested_told_and_sent_again(
    page: Any, server: Server, receiver: Receiver
) -> None:
    page.goto("/rooms")
    page.click("a:text('Webhooks')")
    page.click("#new")
    page.fill("#webhook-url", receiver.url)
    page.click("#webhook button:text('Save')")
    row = page.locator("#list li", has_text=receiver.url)
    row.locator("button:text('Test')").click()
    row.locator("[role=status]:has-text('The receiver took the test. taken')").wait_for()
    (headers, _) = receiver.requests.pop()
    assert headers["x-webhook-event"] == "test"
    # The whole way: the pipeline announces, and the schedule sends
    done = server.upload(SAMPLE)
    server.wait_for_status(done, "ended")
    wait_until(lambda: len(receiver.requests), "the message")
    (webhook,) = [each for each in server.get("/v1/webhooks") if each["url"] == receiver.url]
    told = receiver.verified(webhook["secret"])
    assert [(each["event"], each["transcript"]["id"]) for each in told] == [  # type: ignore[index]
        ("transcript.completed", done)
    ]
    row.locator("button:text('What was sent')").click()
    sent = page.locator("#deliveries-list li", has_text="ready")
    sent.locator("div:has-text('arrived')").wait_for()
    receiver.answers = [500, 200]
    sent.locator("button:text('Send again')").click()
    page.wait_for_selector("#deliveries-list :text('The receiver answered 500.')")
    wait_until(lambda: len(receiver.requests) == 2, "the second message")


def test_webhook_is_paused_and_changed(page: Any, server: Server, receiver: Receiver) -> None:
    hook = server.http.post("/v1/webhooks", json={"url": receiver.url}).json()
    page.goto("/webhooks")
    row = page.locator("#list li", has_text=receiver.url)
    row.locator("button:text('Pause')").click()
    row.locator("p:has-text('Paused.')").wait_for()
    row.locator("button:text('Send again')").click()
    row.locator("button:text('Pause')").wait_for()
    row.locator("button:text('Secret')").click()
    assert page.input_value("#secret-value") == hook["secret"]
    page.click("#secret-rotate")
    page.wait_for_selector("#secret-said:has-text('The one before signs, too')")
    assert page.input_value("#secret-value") != hook["secret"]
    page.click("#secret [data-close]")
    row.locator("button:text('Edit')").click()
    page.uncheck("[value='transcript.deleted']")
    page.click("#webhook button:text('Save')")
    page.wait_for_selector("#webhook", state="hidden")
    wait_until(
        lambda: page.wait_for_timeout(50) or "trash" not in (row.text_content() or ""), "the events"
    )
    row.locator("button:text('Edit')").click()
    page.click("#webhook-remove")
    row.wait_for(state="detached")


def test_recording_is_sent_by_e_mail(page: Any, server: Server, mailbox: MailServer) -> None:
    done = server.upload(SAMPLE)
    server.wait_for_status(done, "ended")
    page.goto(f"/transcripts/{done}")
    page.click("#mail-open")
    page.fill("#mail-recipient", "carla@example.com")
    page.click("#mail-send")
    page.wait_for_selector("#mail-said:has-text('Sent to carla@example.com.')")
    assert mailbox.recipients == ["carla@example.com"]
    mailbox.refusals = {"gone@example.com": "550 no such user"}
    page.fill("#mail-recipient", "gone@example.com")
    page.click("#mail-send")
    page.wait_for_selector("#mail [data-problem]:has-text('550 no such user')")
    assert page.input_value("#mail-recipient") == "gone@example.com"


def test_room_shows_what_its_calendar_has(page: Any, server: Server) -> None:
    moment = datetime.now(UTC)
    with serving() as calendar:
        calendar.content = feed(
            event("<b>Budget</b>", moment - timedelta(minutes=10)),
            event("Review", moment + timedelta(hours=3)),
        )
        page.goto("/rooms")
        page.click("#new")
        page.fill("#room-name", "Planned")
        page.click("#room summary:has-text('Calendar')")
        page.fill("#room-calendar", calendar.url)
        page.click("#room button:text('Save')")
        page.click("[aria-label='Edit the room Planned']")
        page.click("#room-calendar-read")
        page.wait_for_selector("#room-calendar-said:has-text('2 events')")
        calendar.content = b"<html>Log in</html>"
        page.click("#room-calendar-read")
        page.wait_for_selector("#room-calendar-said:has-text('no calendar, or only the beginning')")
    page.goto("/planned")
    page.wait_for_selector("#room-events li:has-text('<b>Budget</b> now, until')")
    page.wait_for_selector("#room-events li:has-text('Review')")
    page.select_option("[name=room_id]", "")
    page.wait_for_selector("#room-events", state="hidden")
