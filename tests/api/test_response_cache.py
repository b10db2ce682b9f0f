"""Answers that are given again: never after what they were made of has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, text

from reflector.db.base import now
from reflector.db.models import LoginAttempt, Meeting, Participant, Room, Topic, Transcript, User
from reflector.db.words import store_words
from reflector.services import Services
from reflector.transcript.words import Word
from reflector.transcripts import queries
from tests.api.people import make_transcript
from tests.conftest import SERVERS, OpenServices, client_of

HELLO = [Word(" Hello", 0.0, 0.4, 0), Word(" there.", 0.5, 0.9, 0)]


@pytest.fixture
def meeting(services: Services) -> str:
    """A transcript with a row in every table that its answers are made of."""
    with services.db.write() as session:
        session.add(Room(id="room", name="Office", user_id="u", platform="daily"))
        session.flush()
        session.add(
            Meeting(
                id="meeting", room_name="Office", room_url="u", host_room_url="h", room_id="room",
                start_date=now(), end_date=now(),
            )
        )  # fmt: skip
        session.add(User(id="anna", email="anna@example.org", authentik_uid="a"))
    transcript_id = make_transcript(
        services, shown_run=1, last_run=2, room_id="room", meeting_id="meeting"
    )
    with services.db.write() as session:
        for run in (1, 2):
            store_words(session, transcript_id, run, HELLO)
            session.add(
                Topic(
                    id=f"topic {run}", transcript_id=transcript_id, run=run, position=0,
                    title=f"Greeting {run}", summary="s", timestamp=0.0, duration=0.9,
                    first_word=0, last_word=2,
                )
            )  # fmt: skip
        session.add(
            Participant(id="p", transcript_id=transcript_id, name="Anna", speaker=0, user_id="anna")
        )
    return transcript_id


def update(table: type[Any], key: Any, **values: Any) -> Callable[[Any, str], None]:
    def change(session: Any, transcript_id: str) -> None:
        row = session.get_one(table, key or transcript_id)
        for name, value in values.items():
            setattr(row, name, value)

    return change


def say_something_else(session: Any, transcript_id: str) -> None:
    store_words(session, transcript_id, 1, [Word(" Bye.", 0.0, 0.4, 1)])


def remove(table: type[Any], key: str) -> Callable[[Any, str], None]:
    return lambda session, _: session.execute(delete(table).where(table.id == key))


def add_participant(session: Any, transcript_id: str) -> None:
    session.add(Participant(transcript_id=transcript_id, name="Ben", speaker=1))


CHANGES: dict[str, tuple[str, Callable[[Any, str], None]]] = {
    "title": ("", update(Transcript, None, title="Another")),
    "share mode": ("", update(Transcript, None, share_mode="public")),
    "run on show": ("/topics", update(Transcript, None, shown_run=2)),
    "trash": ("", update(Transcript, None, deleted_at=now())),
    "words": ("/topics/with-words", say_something_else),
    "all words": ("/words", say_something_else),
    "text": ("", say_something_else),
    "topic": ("/topics", update(Topic, "topic 1", title="Another")),
    "topic gone": ("/topics", remove(Topic, "topic 1")),
    "participant": ("", update(Participant, "p", name="Eva")),
    "participant gone": ("", remove(Participant, "p")),
    "another participant": ("", add_participant),
    "e-mail of a participant": ("", update(User, "anna", email="eva@example.org")),
    "room": ("", update(Room, "room", name="Kitchen")),
    "room gone": ("", remove(Room, "room")),
    "video": ("", update(Meeting, "meeting", daily_composed_video_s3_key="k")),
}


@pytest.mark.parametrize(("path", "change"), CHANGES.values(), ids=CHANGES)
def test_answer_is_made_anew_after_a_change(
    services: Services, meeting: str, path: str, change: Callable[[Any, str], None]
) -> None:
    client = client_of(services)
    before = client.get(f"/v1/transcripts/{meeting}{path}")
    assert before.status_code == 200
    with services.db.write() as session:
        change(session, meeting)
    after = client.get(f"/v1/transcripts/{meeting}{path}")
    assert (after.status_code, after.content) != (before.status_code, before.content)


@pytest.mark.parametrize("open_with", [SERVERS], indirect=True)
def test_answer_about_a_transcript_outlives_writes_elsewhere(
    open_with: OpenServices, meeting: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(services)
    first = client.get(f"/v1/transcripts/{meeting}")
    with services.db.write() as session:
        session.add(LoginAttempt(key="somebody", at=now()))
        session.execute(text("SELECT pg_current_xact_id()"))
    monkeypatch.setattr(queries, "with_text", lambda *_: pytest.fail("the answer was made again"))
    assert client.get(f"/v1/transcripts/{meeting}").content == first.content
