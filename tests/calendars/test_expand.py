"""Feeds become events at the right times, and none keeps the server busy."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reflector.calendars import expand
from reflector.calendars.expand import names_address
from reflector.errors import InvalidInput
from tests.calendars.feeds import event, feed, person

CASES = Path(__file__).parent.parent.parent.parent / "shared" / "cases" / "ics"
BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)


def expanded(content: bytes, since: datetime, until: datetime) -> list[dict[str, Any]]:
    _, found = expand.expanded(content, since, until)
    return found


def times(found: list[dict[str, Any]]) -> list[str]:
    return [each["start"][:16] for each in found]


def test_recurring_event_keeps_its_hour_when_the_clock_changes() -> None:
    weekly = event(
        "weekly", datetime(2026, 10, 19, 9, tzinfo=BERLIN), rrule={"freq": "weekly", "count": 6},
        exdate=datetime(2026, 11, 2, 9, tzinfo=BERLIN),
    )  # fmt: skip
    moved = event(
        "weekly", datetime(2026, 11, 9, 14, tzinfo=BERLIN), summary="moved",
        recurrence_id=datetime(2026, 11, 9, 9, tzinfo=BERLIN),
    )  # fmt: skip
    cancelled = event(
        "weekly", datetime(2026, 11, 16, 9, tzinfo=BERLIN), status="CANCELLED",
        recurrence_id=datetime(2026, 11, 16, 9, tzinfo=BERLIN),
    )  # fmt: skip
    found = expanded(feed(weekly, moved, cancelled), *AUTUMN)
    assert times(found) == [
        "2026-10-19T07:00", "2026-10-26T08:00", "2026-11-09T13:00", "2026-11-23T08:00",
    ]  # fmt: skip
    # An occurrence that is moved is still the same
    assert found[2]["uid"] == "weekly/20261109T080000Z"
    assert len({each["uid"] for each in found}) == 4


def test_whole_days_and_times_without_a_zone_are_those_of_this_server() -> None:
    found = expanded(
        feed(
            event("day", date(2026, 11, 27), 24 * 60), event("floating", datetime(2026, 11, 26, 11))
        ),
        *AUTUMN,
    )
    local = datetime(2026, 11, 26, 11).astimezone(UTC), datetime(2026, 11, 27).astimezone(UTC)
    assert times(found) == [each.isoformat()[:16] for each in local]


def test_people_are_there_once_with_name_and_answer() -> None:
    made = event(
        "meeting", datetime(2026, 11, 26, 16, tzinfo=UTC),
        attendee=[person("Ana@example.org", CN="Müller, Ana", PARTSTAT="ACCEPTED"), person("bo@example.org")],
        organizer=person("ana@example.org", CN="Ana"),
    )  # fmt: skip
    (found,) = expanded(feed(made), *AUTUMN)
    assert found["attendees"][0] == {
        "name": "Müller, Ana", "email": "ana@example.org", "status": "ACCEPTED", "role": None,
    }  # fmt: skip
    assert [each["email"] for each in found["attendees"]] == ["ana@example.org", "bo@example.org"]


@pytest.mark.parametrize("often", ["secondly", "minutely"])
def test_event_that_recurs_without_end_leaves_the_others(often: str) -> None:
    endless = event("endless", datetime(2000, 1, 1, tzinfo=UTC), 1, rrule={"freq": often})
    other = event("other", datetime(2026, 11, 26, 16, tzinfo=UTC))
    assert [each["uid"] for each in expanded(feed(endless, other), *AUTUMN)] == ["other"]


def test_calendar_of_ten_years_is_read_in_time() -> None:
    """30,000 events, 7 MB."""
    first = datetime(2020, 1, 1, 10, tzinfo=UTC)
    one = feed(event("UID-OF-IT", first, description="x" * 60)).decode()
    head, middle = one.split("BEGIN:VEVENT", 1)
    body, tail = middle.rsplit("END:VEVENT\r\n", 1)
    events = []
    for number in range(30_000):
        day = f"{first + timedelta(hours=3 * number):%Y%m%d}"
        text = f"BEGIN:VEVENT{body}END:VEVENT\r\n"
        events.append(text.replace("20200101", day).replace("UID-OF-IT", f"u{number}"))
    begun = time.monotonic()
    since = datetime(2026, 11, 1, tzinfo=UTC)
    found = expanded((head + "".join(events) + tail).encode(), since, since + timedelta(days=14))
    assert 110 <= len(found) <= 114
    assert time.monotonic() - begun < 100  # reading all of it takes minutes


def test_reading_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expand, "SECONDS", 0.001)
    with pytest.raises(InvalidInput, match="takes too long"):
        expanded(feed(), *AUTUMN)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<html>Log in</html>", b"\0\1\2", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:cut\r\nDTSTART:2026112\r\nSUMMARY:Cut off\r\n",
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="no calendar, or only the beginning of one"):
        expanded(content, *AUTUMN)


@pytest.mark.parametrize(
    "broken",
    [
        "DTSTART:99991231T100000Z\r\nDTEND:99991231T235959Z", "DTEND:20261126T170000Z", "SUMMARY:no time at all",
        "DTSTART:20261126T160000Z\r\nDTSTART:20261127T160000Z", "DTSTART:2026",
        "DTSTART:20261126T160000Z\r\nRRULE:FREQ=SOMETIMES;BYDAY=XX",
        "DTSTART:20261126T160000Z\r\nDTEND;VALUE=DATE:20261127\r\nRRULE:FREQ=DAILY;UNTIL=20261128",
    ],
)  # fmt: skip
def test_one_broken_event_leaves_the_others(broken: str) -> None:
    whole = feed(event("good", datetime(2026, 11, 26, 16, tzinfo=UTC))).decode()
    bad = f"BEGIN:VEVENT\r\nUID:bad\r\n{broken}\r\nEND:VEVENT\r\n"
    content = whole.replace("BEGIN:VEVENT", f"{bad}BEGIN:VEVENT", 1).encode()
    assert "good" in [each["uid"] for each in expanded(content, *AUTUMN)]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("W. Europe Standard Time", "2026-11-26T16:00"), ("Nowhere/Land", "2026-11-26T16:00")],
)
def test_zone_of_a_calendar_may_be_outlooks_or_unknown(zone: str, expected: str) -> None:
    content = feed(event("one", datetime(2026, 11, 26, 16, tzinfo=UTC)))
    content = content.replace(b"VERSION:2.0", f"VERSION:2.0\r\nX-WR-TIMEZONE:{zone}".encode())
    assert times(expanded(content, *AUTUMN)) == [expected]


def test_what_databases_do_not_take_is_left_out() -> None:
    made = event(
        "a", datetime(2026, 11, 26, 16, tzinfo=UTC), attendee=[person("x@y.z", CN="N" * 9000)]
    )
    content = feed(made).replace(b"SUMMARY:a", b"SUMMARY:a\x00\x07b")
    (found,) = expanded(content, *AUTUMN)
    assert (found["title"], len(found["attendees"][0]["name"])) == ("ab", expand.LONGEST_LINE)


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("https://reflector.example.org/board", True), ("Join: HTTPS://Reflector.Example.org/Board.", True),
        ("<a href='https://reflector.example.org/board'>", True), ("https://reflector.example.org/board?x=1", True),
        ("https://reflector.example.org/board2", False), ("https://reflector.example.org/boards/1", False),
        ("https://other.example.org/board", False), ("board", False), ("", False),
    ],
)  # fmt: skip
def test_event_belongs_to_the_room_whose_address_it_names(text: str, is_it: bool) -> None:
    fields = {"location": "", "description": text, "url": ""}
    assert names_address(fields, "https://reflector.example.org/board") is is_it
    spaced = {
        **fields,
        "description": text.replace("board", "big%20board").replace("Board", "Big%20Board"),
    }
    assert names_address(spaced, "https://reflector.example.org/big board") is is_it


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases do not lie beside the project")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recurring", ["2026-10-19T07:00", "2026-10-26T08:00", "2026-11-09T13:00", "2026-11-23T08:00"]),
        ("windows-zone", ["2026-11-26T10:00"]),
        ("x-wr-timezone", ["2026-11-26T16:00", "2026-11-27T16:00", "2026-11-28T16:00"]),
        ("folded-lf", ["2026-11-26T16:00"]),
        ("endless", []),
    ],
)  # fmt: skip
def test_feed_of_another_program_is_understood(name: str, expected: list[str]) -> None:
    assert times(expanded((CASES / f"{name}.ics").read_bytes(), *AUTUMN)) == expected
