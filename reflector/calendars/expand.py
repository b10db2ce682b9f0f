"""Expand an iCalendar feed into events with a beginning and an end.

Runs as a process of its own (`python -m reflector.calendars.expand SINCE UNTIL`, feed in, JSON
out), with a limit on time and memory: a feed comes from others, and rules can recur each second.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from reflector.errors import N_, InvalidInput

EVENT = re.compile(rb"^BEGIN:VEVENT\r?\n.*?^END:VEVENT\r?\n", re.DOTALL | re.MULTILINE)
DAYS = re.compile(rb"^DT(?:START|END)[^:\r\n]*:(\d{8})", re.MULTILINE)
DAY = timedelta(days=1)
LONGEST = timedelta(days=35)
SECONDS = 60
MEMORY_BYTES = 1024 * 1024 * 1024
MOST_EVENTS = 2000
MOST_ATTENDEES = 200
LONGEST_TEXT = 10_000
# Recurring each second or minute is a mistake, and takes for ever to count
TOO_OFTEN = {"SECONDLY", "MINUTELY"}
NO_CALENDAR = N_("What this address gives is no calendar, or only the beginning of one.")
TOO_MUCH = N_("The calendar takes too long to read. Give one with fewer events.")


def expanded(feed: bytes, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Return the events of the feed that overlap this time, in a process of its own.

    Each has `uid` (of one occurrence), `title`, `description`, `location`, `start`, `end` (ISO 8601
    in UTC) and `attendees`. Raises InvalidInput for what is no calendar, or takes too long.
    """
    command = [sys.executable, "-m", __name__, since.isoformat(), until.isoformat()]
    try:
        done = subprocess.run(  # noqa: S603 - the program itself
            command, input=feed, capture_output=True, timeout=2 * SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput(TOO_MUCH) from None
    if done.returncode == 2:
        raise InvalidInput(NO_CALENDAR)
    if done.returncode != 0:
        raise InvalidInput(TOO_MUCH)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def events(feed: bytes, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield what `expanded` returns. Raises ValueError for what is no calendar."""
    import recurring_ical_events
    import x_wr_timezone
    from icalendar import Calendar

    calendars = Calendar.from_ical(_near(feed, since, until), multiple=True)
    if not calendars:
        raise ValueError("no calendar ends in it")
    for raw in calendars:
        calendar = x_wr_timezone.to_standard(raw)
        own = [each for each in calendar.walk("VEVENT") if not _is_too_often(each)]
        calendar.subcomponents = [c for c in calendar.subcomponents if c.name != "VEVENT"] + own
        recurring = {str(each.get("UID")) for each in own if _recurs(each)}
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        for found in query.between(since, until):
            if str(found.get("STATUS", "")).upper() != "CANCELLED":
                yield _event(found, recurring)


def _near(feed: bytes, since: datetime, until: datetime) -> bytes:
    """Return the feed without single events that are clearly at another time.

    Reading an event takes two milliseconds, and some calendars keep those of ten years.
    """
    first, last = (f"{each:%Y%m%d}".encode() for each in (since - DAY, until + DAY))
    # What has a duration instead of an end
    long_ago = f"{since - LONGEST:%Y%m%d}".encode()

    def kept(match: re.Match[bytes]) -> bytes:
        event = match[0]
        days = [found[1] for found in DAYS.finditer(event)]
        if not days or any(word in event for word in (b"RRULE", b"RDATE", b"RECURRENCE-ID")):
            return event
        begin = first if len(days) > 1 else long_ago
        return event if min(days) <= last and max(days) >= begin else b""

    return EVENT.sub(kept, feed)


def _is_too_often(event: Any) -> bool:
    rules = event.get("RRULE") or []
    rules = rules if isinstance(rules, list) else [rules]
    return any(str(freq).upper() in TOO_OFTEN for rule in rules for freq in rule.get("FREQ", []))


def _recurs(event: Any) -> bool:
    return any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _event(found: Any, recurring: set[str]) -> dict[str, Any]:
    uid, start = str(found.get("UID", "")), _moment(found.start)
    if uid in recurring and "RECURRENCE-ID" in found:
        uid = f"{uid}/{_moment(found['RECURRENCE-ID'].dt):%Y%m%dT%H%M%SZ}"
    return {
        "uid": uid[:500],
        "title": _text(found, "SUMMARY")[:500],
        "description": _text(found, "DESCRIPTION"),
        "location": _text(found, "LOCATION"),
        "url": _text(found, "URL"),
        "start": start.isoformat(),
        "end": max(_moment(found.end), start).isoformat(),
        "attendees": _attendees(found),
    }


def _text(found: Any, name: str) -> str:
    value = found.get(name)
    return "" if value is None else str(value).strip()[:LONGEST_TEXT]


def _moment(value: date | datetime) -> datetime:
    """Return a time in UTC. One without a zone, and a whole day, are in the zone of this server."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value.astimezone(UTC)


def _attendees(found: Any) -> list[dict[str, str | None]]:
    # An organiser who is invited, too, is one person
    people: dict[str, dict[str, str | None]] = {}
    for name in ("ATTENDEE", "ORGANIZER"):
        values = found.get(name) or []
        for value in values if isinstance(values, list) else [values]:
            params = value.params
            role = "ORGANIZER" if name == "ORGANIZER" else params.get("ROLE")
            email = str(value).strip().lower().removeprefix("mailto:")
            fields = {"name": params.get("CN"), "status": params.get("PARTSTAT"), "role": role}
            people.setdefault(email, {"email": email, **fields})
    return list(people.values())[:MOST_ATTENDEES]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    since, until = (datetime.fromisoformat(each) for each in sys.argv[1:])
    try:
        found = sorted(
            events(sys.stdin.buffer.read(), since, until), key=lambda event: str(event["start"])
        )
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        sys.exit(2)  # a library that stumbles over it says that it is none
    json.dump(found[:MOST_EVENTS], sys.stdout)


if __name__ == "__main__":
    main()
