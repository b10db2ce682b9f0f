"""Rooms have the events of their calendars, and keep them when a calendar is broken today."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from reflector.calendars import sync
from reflector.calendars.fetch import fetch
from reflector.db.models import CalendarEvent, Room, now
from tests.api.people import Person
from tests.api.world import World as Plain
from tests.calendars.feeds import ADDRESS, FeedServer, event, feed, person, serving
from tests.conftest import OpenServices


@pytest.fixture
def calendar() -> Iterator[FeedServer]:
    with serving() as found:
        yield found


class World(Plain):
    def __init__(self, open_with: OpenServices) -> None:
        super().__init__(
            open_with,
            ALLOWED_INTERNAL_ADDRESSES="127.0.0.1",
            UI_BASE_URL="https://reflector.example.org",
        )

    def room(self, url: str, **values: Any) -> str:
        daily: dict[str, Any] = {"platform": "daily", "is_shared": True, "ics_enabled": True}
        return self.make(ics_url=url, **(daily | values))

    def sync(self) -> Any:
        return self.ask(self.anna, "POST", "rooms/board/ics/sync").json()

    def titles(self, person: Person | None = None) -> list[str | None]:
        found = self.ask(person or self.anna, "GET", "rooms/board/meetings").json()
        return [each["title"] for each in found]


@pytest.fixture
def world(open_with: OpenServices) -> World:
    return World(open_with)


def at(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)


def test_events_of_the_room_come_change_and_go(world: World, calendar: FeedServer) -> None:
    world.room(calendar.url)
    lunch = event("lunch", at(2), location="Canteen")
    calendar.content = feed(event("one", at(1)), event("two", at(30)), lunch)
    result = world.sync()
    numbers = [result[f"events_{each}"] for each in ("found", "created", "updated", "deleted")]
    assert (result["status"], numbers, result["total_events"]) == ("success", [2, 2, 0, 0], 3)
    assert world.titles() == ["one", "two"]
    assert world.sync()["status"] == "unchanged"
    calendar.content = feed(event("one", at(1), summary="renamed"), lunch)
    result = world.sync()
    numbers = [result[f"events_{each}"] for each in ("found", "created", "updated", "deleted")]
    assert (numbers, world.titles()) == ([1, 0, 1, 1], ["renamed"])
    status = world.ask(world.anna, "GET", "rooms/board/ics/status").json()
    assert (status["status"], status["events_count"], status["last_etag"]) == (
        "enabled",
        1,
        result["hash"],
    )
    upcoming = world.ask(None, "GET", "rooms/board/meetings/upcoming?minutes_ahead=30").json()
    assert upcoming == []
    calendar.content = feed(event("now", at(-0.5)))
    world.sync()
    upcoming = world.ask(world.ben, "GET", "rooms/board/meetings/upcoming?minutes_ahead=0").json()
    assert [each["title"] for each in upcoming] == ["now"]


@pytest.mark.parametrize("trouble", ["cut", "status", "html", "large", "away"])
def test_broken_calendar_leaves_what_was_there_and_says_why(
    world: World, calendar: FeedServer, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = world.room(calendar.url)
    calendar.content = feed(event("kept", at(1)))
    world.sync()
    if trouble == "cut":
        calendar.content = calendar.content[:-40]
    elif trouble == "status":
        calendar.status = 503
    elif trouble == "html":
        calendar.content = b"<html>Log in</html>"
    elif trouble == "large":
        monkeypatch.setattr("reflector.calendars.fetch.MOST_BYTES", 100)
    else:
        world.ask(world.anna, "PATCH", f"rooms/{room}", {"ics_fetch_interval": 60})
        with world.services.db.write() as session:
            session.execute(update(Room).values(ics_url="http://127.0.0.1:9/calendar.ics"))
    result = world.sync()
    assert (result["status"], world.titles()) == ("error", ["kept"])
    status = world.ask(world.anna, "GET", "rooms/board/ics/status").json()
    assert status["problem_parts"]
    assert result["error"]
    if trouble == "status":
        calendar.status = 200
        assert world.sync()["status"] == "unchanged"
        assert (
            world.ask(world.anna, "GET", "rooms/board/ics/status").json()["problem_parts"] is None
        )


def test_redirect_is_followed_but_not_into_the_network(
    world: World, calendar: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.room(calendar.url)
    calendar.content = feed(event("moved", at(1)))
    calendar.location = "/elsewhere.ics"
    assert (world.sync()["status"], calendar.requests) == (
        "success",
        ["/calendar.ics", "/elsewhere.ics"],
    )
    calendar.location = "http://169.254.169.254/latest/meta-data/"
    assert "inside the network of this server" in world.sync()["error"]
    calendar.location = "/calendar.ics"  # in a circle
    assert world.sync()["status"] == "error"


def test_schedule_reads_each_calendar_when_it_is_due(world: World, calendar: FeedServer) -> None:
    world.room(calendar.url, ics_fetch_interval=600)
    world.room(calendar.url, name="off", ics_enabled=False)
    calendar.content = feed(event("one", at(1)))
    assert [sync.execute(world.services), sync.execute(world.services)] == [1, 0]
    with world.services.db.write() as session:
        session.execute(update(Room).values(ics_next_sync=now()))
    assert sync.execute(world.services) == 1
    assert len(calendar.requests) == 2
    # Another address is read soon, and nothing of the one before stays
    (room,) = [
        each
        for each in world.ask(world.anna, "GET", "rooms").json()["items"]
        if each["name"] == "board"
    ]
    world.ask(world.anna, "PATCH", f"rooms/{room['id']}", {"ics_url": f"{calendar.url}?new"})
    assert world.titles() == []
    assert sync.execute(world.services) == 1
    assert world.titles() == ["one"]


def test_same_feed_has_other_events_later(world: World, calendar: FeedServer) -> None:
    world.room(calendar.url)
    later = event("later", at(24 * 20))
    calendar.content = feed(event("one", at(1)), later)
    world.sync()
    assert world.titles() == ["one"]
    with world.services.db.write() as session:
        session.execute(update(Room).values(ics_expanded_at=now() - sync.EXPAND_AGAIN))
    assert world.sync()["status"] == "success"


def test_who_may_see_what_of_a_calendar(world: World, calendar: FeedServer) -> None:
    room = world.room(calendar.url)
    calendar.content = feed(
        event("secret plan", at(1), description="details", attendee=person("carla@example.org"))
    )
    world.sync()
    for person_, fields in (
        (world.anna, ("secret plan", "details", ADDRESS, "carla@example.org")),
        (world.ben, ("secret plan", None, ADDRESS, None)), (None, (None, None, None, None)),
    ):  # fmt: skip
        (found,) = world.ask(person_, "GET", "rooms/board/meetings").json()
        emails = found["attendees"] and found["attendees"][0]["email"]
        assert (found["title"], found["description"], found["location"], emails) == fields
    world.ask(world.anna, "PATCH", f"rooms/{room}", {"is_shared": False})
    (found,) = world.ask(world.ben, "GET", "rooms/board/meetings").json()
    assert (found["title"], found["location"], found["attendees"]) == (None, None, None)
    for person_, status in ((None, 401), (world.ben, 403)):
        assert world.ask(person_, "POST", "rooms/board/ics/sync").status_code == status
        assert world.ask(person_, "GET", "rooms/board/ics/status").status_code == status
    assert (
        world.ask(world.ben, "GET", "rooms/board/ics/status").json()["detail"]
        == "Only room owner can view ICS status"
    )
    for path in ("rooms/none/meetings", "rooms/none/meetings/upcoming"):
        assert world.ask(world.anna, "GET", path).status_code == 404
    world.ask(world.anna, "PATCH", f"rooms/{room}", {"ics_enabled": False})
    assert world.titles() == []
    refused = world.ask(world.anna, "POST", "rooms/board/ics/sync")
    assert (refused.status_code, refused.json()["detail"]) == (
        400,
        "ICS not configured for this room",
    )


def test_calendar_of_a_room_without_video_is_all_its_own(
    world: World, calendar: FeedServer
) -> None:
    world.room(calendar.url, platform="in-person")
    calendar.content = feed(event("any", at(1), location="2nd floor"))
    assert world.sync()["events_found"] == 1
    with world.services.db.write() as session:
        assert session.scalars(select(CalendarEvent.title)).all() == ["any"]


def test_meeting_that_is_called_off_while_it_runs_is_not_on(
    world: World, calendar: FeedServer
) -> None:
    world.room(calendar.url)
    calendar.content = feed(event("running", at(-0.5)), event("over", at(-3)))
    world.sync()
    calendar.content = feed()
    assert (world.sync()["events_deleted"], world.titles()) == (1, ["over"])


def test_room_that_is_renamed_while_its_calendar_is_read_is_read_again(
    world: World, calendar: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = world.room(calendar.url)
    calendar.content = feed(
        event("old", at(1)), event("new", at(2), location=ADDRESS.replace("board", "team"))
    )

    def rename(*arguments: Any) -> bytes:
        world.ask(world.anna, "PATCH", f"rooms/{room}", {"name": "team"})
        return fetch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("reflector.calendars.sync.fetch", rename)
        assert world.sync()["status"] == "skipped"
    assert sync.execute(world.services) == 1
    found = world.ask(world.anna, "GET", "rooms/team/meetings").json()
    assert [each["title"] for each in found] == ["new"]


def test_large_company_calendar_keeps_the_events_of_the_room(
    world: World, calendar: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many others come before them, and however late their address comes in the text."""
    world.room(calendar.url)
    others = [event(f"other {n}", at(1), location="Canteen") for n in range(30)]
    long = event("mine", at(30), location=None, description="x" * 20_000 + f" {ADDRESS}")
    calendar.content = feed(*others, long)
    result = world.sync()
    assert (result["total_events"], world.titles()) == (31, ["mine"])


def test_so_many_calendars_are_read_at_once(
    world: World, calendar: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.room(calendar.url)
    calendar.content = feed(event("one", at(1)))
    monkeypatch.setattr(sync, "_places", threading.BoundedSemaphore(1))
    with sync._places:
        assert world.ask(world.anna, "POST", "rooms/board/ics/sync").status_code == 429
    assert world.sync()["status"] == "success"


def test_old_events_are_removed(world: World, calendar: FeedServer) -> None:
    world.room(calendar.url)
    calendar.content = feed(event("one", at(1)))
    world.sync()
    with world.services.db.write() as session:
        session.execute(update(CalendarEvent).values(end_time=now() - timedelta(days=31)))
    sync.remove_old(world.services)
    with world.services.db.read() as session:
        assert session.scalars(select(CalendarEvent)).all() == []
