"""Feeds become events at the right times, and none keeps the server busy."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from reflector.calendars import expand
from reflector.calendars.expand import expanded
from reflector.errors import InvalidInput
from tests.calendars.feeds import event, feed, person

CASES = Path(__file__).parent.parent.parent.parent / "shared" / "cases" / "ics"
BERLIN = ZoneInfo("Europe/Berlin")
AUTUMN = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)


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
