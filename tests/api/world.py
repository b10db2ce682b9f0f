"""A server with two accounts, and a room as the API makes it."""

from __future__ import annotations

from typing import Any

from tests.api.people import SECRET, Person, make_person
from tests.conftest import OpenServices, client_of

ROOM: dict[str, Any] = {
    "name": "board", "zulip_auto_post": False, "zulip_stream": "", "zulip_topic": "", "is_locked": False,
    "room_mode": "normal", "recording_type": "cloud", "recording_trigger": "automatic", "is_shared": False,
    "webhook_url": "", "webhook_secret": "", "platform": "in-person",
}  # fmt: skip


class World:
    """Tests add what their subject needs."""

    def __init__(self, open_with: OpenServices, **settings: Any) -> None:
        values = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, **settings}
        self.services = open_with(**values)
        self.client = client_of(self.services)
        self.anna = make_person(self.services, "anna@example.org")
        self.ben = make_person(self.services, "ben@example.org")

    def ask(
        self, person: Person | None, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        own = person.bearer if person else {}
        return self.client.request(method, f"/v1/{path}", json=body, headers={**own, **headers})

    def make(self, person: Person | None = None, **values: Any) -> str:
        """Make a room, and return its id."""
        answer = self.ask(person or self.anna, "POST", "rooms", {**ROOM, **values})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])
