"""Deleting until it is confirmed, old anonymous data, the schedule, the sign of life."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from celery.schedules import crontab
from sqlalchemy import select, update

from reflector import schedule
from reflector.db.models import Deletion, Event, Transcript, now
from reflector.errors import Unavailable
from reflector.housekeeping import deletions, heartbeat, live_text, public_data
from reflector.runtime.settings import Settings
from reflector.services import Services
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices


def put(services: Services, folder: Path, key: str) -> None:
    (folder / "object").write_bytes(b"sound")
    services.storage.adopt(folder / "object", key)


def orders(services: Services) -> list[Deletion]:
    with services.db.read() as session:
        return list(session.scalars(select(Deletion)))


def make_due(services: Services, minutes: int = 5) -> None:
    earlier = now() - timedelta(minutes=minutes)
    with services.db.write() as session:
        session.execute(update(Deletion).values(due_at=earlier, created_at=earlier))


def test_order_stays_until_the_storage_has_confirmed(
    open_with: OpenServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_with()
    put(services, tmp_path, "abc/audio.mp3")
    put(services, tmp_path, "abcd/audio.mp3")
    with services.db.write() as session:
        deletions.order(session, "abc")

    def broken(prefix: str) -> None:
        raise Unavailable("The storage does not answer: test")

    with monkeypatch.context() as patch:
        patch.setattr(services.storage, "delete_prefix", broken)
        assert deletions.execute(services) == 1
    assert "does not answer" in str(orders(services)[0].error)
    assert services.storage.keys("abc") == ["abc/audio.mp3"]
    make_due(services)
    assert deletions.execute(services) == 1  # something was there: it looks once more
    assert services.storage.keys("abc") == []
    put(services, tmp_path, "abc/audio.mp3")  # a worker that was just about to write it
    make_due(services)
    assert deletions.execute(services) == 1
    make_due(services)
    assert deletions.execute(services) == 0
    assert services.storage.keys("abc") == []
    assert services.storage.keys("abcd") == ["abcd/audio.mp3"]


def test_local_leftovers_of_a_transcript_go_too(open_with: OpenServices) -> None:
    services = open_with()
    for folder in (services.settings.uploads_dir, services.settings.scratch_dir):
        (folder / "abc").mkdir(parents=True)
        (folder / "abc" / "part").write_text("x")
    with services.db.write() as session:
        deletions.order(session, "abc")
    deletions.execute(services)
    assert not (services.settings.uploads_dir / "abc").exists()
    assert not (services.settings.scratch_dir / "abc").exists()


def test_public_mode_removes_old_anonymous_data_only(
    open_with: OpenServices, tmp_path: Path
) -> None:
    services = open_with(PUBLIC_MODE=True, AUTH_BACKEND="password", SECRET_KEY=SECRET)
    owner = make_person(services, "a@example.org").id
    old = now() - timedelta(days=8)
    gone = make_transcript(services, created_at=old)
    put(services, tmp_path, f"{gone}/audio.mp3")
    kept = {
        make_transcript(services, created_at=now() - timedelta(days=6)),
        make_transcript(services, created_at=old, user_id=owner),
    }
    assert public_data.clean_up(services) == 1
    with services.db.read() as session:
        assert set(session.scalars(select(Transcript.id))) == kept
    assert services.storage.keys(gone) == []


def test_without_public_mode_nothing_is_removed(open_with: OpenServices) -> None:
    services = open_with()
    make_transcript(services, created_at=now() - timedelta(days=800))
    assert public_data.clean_up(services) == 0


@pytest.mark.parametrize(("days", "left"), [(0, []), (7, ["today"]), (30, ["ten days", "today"])])
def test_live_text_is_removed_after_its_days(
    open_with: OpenServices, days: int, left: list[str]
) -> None:
    services = open_with(LIVE_TEXT_DAYS=days)
    transcript_id = make_transcript(services)
    ages = {"ten days": 10, "today": 0}
    with services.db.write() as session:
        for name, age in ages.items():
            made = now() - timedelta(days=age, minutes=1)
            kept = {"line": {"text": name}}
            session.add(
                Event(
                    transcript_id=transcript_id, run=0, name="LIVE_KEPT", data=kept, created_at=made
                )
            )
        session.add(
            Event(
                transcript_id=transcript_id,
                run=0,
                name="LIVE",
                data={"line": {"text": "running"}},
                created_at=now() - timedelta(days=99),
            )
        )
    live_text.remove_old(services)
    with services.db.read() as session:
        found = session.scalars(
            select(Event.data).where(Event.transcript_id == transcript_id).order_by(Event.id)
        )
        assert [data["line"]["text"] for data in found] == [*left, "running"]


def test_only_what_is_configured_is_scheduled(make_settings: Callable[..., Settings]) -> None:
    def planned(**values: object) -> dict[str, object]:
        return {job.task: job.schedule for job in schedule.jobs(make_settings(**values))}

    always = {schedule.APPLY_RETENTION: crontab(hour=3, minute=20)}
    polls = {
        schedule.RETRY_DELETIONS: 60.0,
        schedule.SEND_WEBHOOKS: 10.0,
        schedule.READ_CALENDARS: 60.0,
    }
    assert planned() == {**polls, **always}
    often = planned(CELERY_BEAT_POLL_INTERVAL=300)
    assert often == {**dict.fromkeys(polls, 300.0), **always}
    everything = planned(
        CELERY_BEAT_POLL_INTERVAL=5, PUBLIC_MODE=True, HEALTHCHECK_URL="http://127.0.0.1:1/",
        SMTP_HOST="mail.example.org", SMTP_FROM_EMAIL="reflector@example.org",
    )  # fmt: skip
    assert everything[schedule.SEND_MAIL] == 5.0
    assert everything[schedule.HEARTBEAT] == 600.0
    assert everything[schedule.CLEAN_UP_PUBLIC_DATA] == crontab(hour=3, minute=0)


def test_sign_of_life_says_whether_somebody_heard_it(
    make_settings: Callable[..., Settings],
) -> None:
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/ping"
    assert heartbeat.ping(make_settings(HEALTHCHECK_URL=address))
    server.shutdown()
    server.server_close()
    assert heard == ["/ping"]
    assert not heartbeat.ping(make_settings(HEALTHCHECK_URL=address))
    assert not heartbeat.ping(make_settings())


def test_deleting_for_good_does_nobody_elses_deletions(
    open_with: OpenServices, tmp_path: Path
) -> None:
    services = open_with()
    for name in ("mine", "theirs"):
        put(services, tmp_path, f"{name}/audio.mp3")
        with services.db.write() as session:
            deletions.order(session, name)
    deletions.execute(services, "mine")
    assert services.storage.keys("mine") == []
    assert services.storage.keys("theirs") == ["theirs/audio.mp3"]
    assert {order.prefix: order.attempts for order in orders(services)} == {"mine": 1, "theirs": 0}
