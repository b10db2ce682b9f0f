"""Feeds as calendars send them, and a server that does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar, Event, vCalAddress

from tests.http_server import QuietHandler, listening

ADDRESS = "https://reflector.example.org/board"


def event(uid: str, start: Any, minutes: int = 60, **fields: Any) -> Event:
    """An event at the address of the room, unless `fields` say otherwise."""
    made = Event()
    made.add("uid", uid)
    made.add("dtstamp", datetime(2026, 1, 1, 12))
    made.add("dtstart", start)
    made.add("dtend", start + timedelta(minutes=minutes))
    for name, value in {"summary": uid, "location": ADDRESS, **fields}.items():
        if value is not None:
            made.add(name.replace("_", "-"), value)
    return made


def person(email: str, **params: str) -> vCalAddress:
    made = vCalAddress(f"mailto:{email}")
    for name, value in params.items():
        made.params[name] = value
    return made


def feed(*events: Event) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//tests//EN")
    calendar.add("version", "2.0")
    for each in events:
        calendar.add_component(each)
    return bytes(calendar.to_ical())


@dataclass
class FeedServer:
    url: str = ""
    content: bytes = b""
    status: int = 200
    location: str | None = None
    requests: list[str] = field(default_factory=list)


@contextlib.contextmanager
def serving() -> Iterator[FeedServer]:
    found = FeedServer()

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            found.requests.append(self.path)
            is_moved = found.location is not None and self.path == "/calendar.ics"
            self.send_response(302 if is_moved else found.status)
            if is_moved:
                self.send_header("Location", str(found.location))
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

    with listening(Handler) as address:
        found.url = f"{address}/calendar.ics"
        yield found
