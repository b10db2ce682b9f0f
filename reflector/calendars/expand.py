"""Expand an iCalendar feed into events with a beginning and an end.

Runs as a process of its own (`python -m reflector.calendars.expand`, feed in, JSON out), with limits
on time, memory and output: a feed comes from others, and rules can recur each second.
"""

from __future__ import annotations

import json
import logging
import re
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from reflector.errors import N_, InvalidInput, ReflectorError

log = logging.getLogger(__name__)

EVENT = re.compile(rb"^BEGIN:VEVENT\r?\n.*?^END:VEVENT\r?\n", re.DOTALL | re.MULTILINE)
DAYS = re.compile(rb"^DT(?:START|END)[^:\r\n]*:(\d{8})", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
DAY = timedelta(days=1)
LONGEST = timedelta(days=35)
SECONDS = 60
MEMORY_BYTES = 1024 * 1024 * 1024
OUTPUT_BYTES = 32 * 2**20
MOST_EVENTS = 2000
MOST_ATTENDEES = 200
LONGEST_LINE = 500
LONGEST_TEXT = 10_000
# Recurring each second or minute is a mistake, and takes for ever to count
TOO_OFTEN = {"SECONDLY", "MINUTELY"}
IS_NONE, IS_TOO_MUCH = 2, 3
# What the libraries raise for an event that they do not understand
BROKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
NO_CALENDAR = N_("What this address gives is no calendar, or only the beginning of one.")
TOO_MUCH = N_("The calendar takes too long to read. Give one with fewer events.")
FAILED = N_("This server failed to read the calendar. Its log says why.")


def expanded(
    feed: bytes, since: datetime, until: datetime, address: str | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many events overlap this time, and those that name `address`; all with None.

    Each has `uid` (of one occurrence), `title`, `description`, `location`, `start`, `end` (ISO 8601
    in UTC) and `attendees`. Raises InvalidInput for what is no calendar, or takes too long.
    """
    wanted = json.dumps([since.isoformat(), until.isoformat(), address])
    command = [sys.executable, "-m", "reflector.calendars.expand", wanted]
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(  # noqa: S603 - the program itself
                command, input=feed, stdout=out, stderr=subprocess.PIPE, timeout=2 * SECONDS,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise InvalidInput(TOO_MUCH) from None
        if done.returncode == IS_NONE:
            raise InvalidInput(NO_CALENDAR)
        if done.returncode == IS_TOO_MUCH or -done.returncode in set(signal.Signals):
            raise InvalidInput(TOO_MUCH)
        if done.returncode != 0:
            log.error("reading a calendar failed: %s", done.stderr[-4000:].decode(errors="replace"))
            raise ReflectorError(FAILED)
        out.seek(0)
        total, found = json.load(out)
        return total, found


def events(feed: bytes, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events that overlap this time. Raises ValueError for what is no calendar."""
    from icalendar import Calendar

    calendars = Calendar.from_ical(_near(feed, since, until), multiple=True)
    if not calendars:
        raise ValueError("no calendar ends in it")
    for raw in calendars:
        calendar = _with_zone(raw)
        own = [each for each in calendar.walk("VEVENT") if _is_good(each)]
        rest = [each for each in calendar.subcomponents if each.name != "VEVENT"]
        recurring = {str(each.get("UID")) for each in own if _recurs(each)}
        for found in _occurrences(calendar, rest, own, since, until):
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


def _with_zone(calendar: Any) -> Any:
    """Return the calendar with the zone that it names for all of it, if that is known."""
    import x_wr_timezone
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    named = str(calendar.get("X-WR-TIMEZONE", ""))
    zone = WINDOWS_TO_OLSON.get(named, named)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        calendar.pop("X-WR-TIMEZONE", None)
        return calendar
    calendar["X-WR-TIMEZONE"] = zone
    return x_wr_timezone.to_standard(calendar)


def _is_good(event: Any) -> bool:
    """Return whether the event has times that can be used, and does not recur too often."""
    try:
        _moment(event.start), _moment(event.end)
        rules = event.get("RRULE") or []
        rules = rules if isinstance(rules, list) else [rules]
        return not any(
            str(freq).upper() in TOO_OFTEN for rule in rules for freq in rule.get("FREQ", [])
        )
    except BROKEN:
        return False


def _recurs(event: Any) -> bool:
    return any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _occurrences(
    calendar: Any, rest: list[Any], own: list[Any], since: datetime, until: datetime
) -> Iterable[Any]:
    """Return the occurrences of `own`. Where one event is broken, the others are still read."""
    import recurring_ical_events

    def of(some: list[Any]) -> list[Any]:
        calendar.subcomponents = rest + some
        found: list[Any] = recurring_ical_events.of(calendar, skip_bad_series=True).between(
            since, until
        )
        return found

    try:
        return of(own)
    except BROKEN:
        pass
    by_uid: dict[str, list[Any]] = {}
    for event in own:
        by_uid.setdefault(str(event.get("UID")), []).append(event)
    found = []
    for some in by_uid.values():
        try:
            found += of(some)
        except BROKEN:
            continue
    return found


def _event(found: Any, recurring: set[str]) -> dict[str, Any]:
    start = _moment(found.start)
    # Without an id it is known by what it is
    uid = _line(found.get("UID")) or f"{_line(found.get('SUMMARY'))} {start:%Y%m%dT%H%M%SZ}"
    if str(found.get("UID")) in recurring and "RECURRENCE-ID" in found:
        uid = f"{uid}/{_moment(found['RECURRENCE-ID'].dt):%Y%m%dT%H%M%SZ}"
    return {
        "uid": uid,
        "title": _line(found.get("SUMMARY")),
        "description": _text(found.get("DESCRIPTION")),
        "location": _text(found.get("LOCATION")),
        "url": _text(found.get("URL")),
        "start": start.isoformat(),
        "end": max(_moment(found.end), start).isoformat(),
        "attendees": _attendees(found),
    }


def _text(value: Any) -> str:
    """Return a text without control characters, which databases do not take."""
    return "" if value is None else CONTROL.sub("", str(value).replace("\r\n", "\n")).strip()


def _line(value: Any) -> str:
    return " ".join(_text(value).split())[:LONGEST_LINE]


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
            params = getattr(value, "params", {})
            role = "ORGANIZER" if name == "ORGANIZER" else _line(params.get("ROLE")) or None
            email = _line(value).lower().removeprefix("mailto:")
            fields = {
                key: _line(params.get(param)) or None
                for key, param in (("name", "CN"), ("status", "PARTSTAT"))
            }
            people.setdefault(email, {"email": email, **fields, "role": role})
    return list(people.values())[:MOST_ATTENDEES]


def names_address(event: dict[str, Any], address: str) -> bool:
    """Return whether an event names the address of a room, however that is written."""
    base, _, room = address.rpartition("/")
    text = " ".join(str(event[field]) for field in ("location", "description", "url"))
    found = re.findall(rf"{re.escape(base)}/([^\s\"'<>?#/]+)", text, re.IGNORECASE)
    return any(unquote(each).rstrip(".,;:)]").lower() == room.lower() for each in found)


def main() -> None:
    since, until, address = json.loads(sys.argv[1])
    for limit, most in (
        (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
    ):  # fmt: skip
        resource.setrlimit(limit, (most, most))
    feed = sys.stdin.buffer.read()
    try:
        found = list(events(feed, datetime.fromisoformat(since), datetime.fromisoformat(until)))
    except MemoryError:
        sys.exit(IS_TOO_MUCH)
    except ValueError:
        sys.exit(IS_NONE)
    own = [each for each in found if address is None or names_address(each, address)]
    own.sort(key=lambda event: str(event["start"]))
    for each in own:
        for name in ("description", "location", "url"):
            each[name] = each[name][:LONGEST_TEXT]
    json.dump([len(found), own[:MOST_EVENTS]], sys.stdout)


if __name__ == "__main__":
    main()
