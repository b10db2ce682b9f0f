"""Participants, and which speaker said what."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Participant, Topic, now
from reflector.db.words import load_words, store_words
from reflector.services import Services
from reflector.transcript.words import Word
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of


@pytest.fixture
def path(services: Services) -> str:
    transcript_id = make_transcript(services, shown_run=1)
    with services.db.write() as session:
        words = [Word(f" w{n}.", float(n), n + 0.5, n // 2) for n in range(6)]
        store_words(session, transcript_id, 1, words)
        session.add(Topic(
            id="topic", transcript_id=transcript_id, run=1, position=0, title="t", summary="s",
            timestamp=0.0, duration=6.0, first_word=0, last_word=6,
        ))  # fmt: skip
    return f"/v1/transcripts/{transcript_id}"


def speakers(services: Services, path: str) -> list[int]:
    with services.db.read() as session:
        return [word.speaker for word in load_words(session, path.rpartition("/")[2], 1)]


def add(client: TestClient, path: str, name: str, speaker: int | None = None) -> Any:
    return client.post(f"{path}/participants", json={"name": name, "speaker": speaker})


def test_participant_is_made_read_changed_and_deleted(client: TestClient, path: str) -> None:
    anna = add(client, path, "Anna", 0).json()
    ben = add(client, path, "Ben").json()
    assert client.get(f"{path}/participants").json() == [anna, ben]
    assert client.get(f"{path}/participants/{ben['id']}").json() == ben
    changed = client.patch(f"{path}/participants/{ben['id']}", json={"name": "Benno", "speaker": 1})
    assert changed.json() == {"id": ben["id"], "name": "Benno", "speaker": 1}
    # Naming nobody's speaker is no collision with another participant without one
    cara = add(client, path, "Cara").json()
    assert client.patch(f"{path}/participants/{cara['id']}", json={"name": "C"}).status_code == 200
    for _ in range(2):
        assert client.delete(f"{path}/participants/{cara['id']}").json() == {"status": "ok"}
    missing = client.get(f"{path}/participants/{cara['id']}")
    assert (missing.status_code, missing.json()["detail"]) == (404, "Participant not found")
    assert "Anna: w0." in client.get(path).json()["transcript"]


def test_a_speaker_has_one_participant(client: TestClient, path: str) -> None:
    add(client, path, "Anna", 0)
    taken = add(client, path, "Ben", 0)
    assert (taken.status_code, taken.json()["detail"]) == (400, "Speaker already assigned")
    ben = add(client, path, "Ben", 1).json()
    assert client.patch(f"{path}/participants/{ben['id']}", json={"speaker": 0}).status_code == 400
    assert client.patch(f"{path}/participants/{ben['id']}", json={"speaker": 1}).status_code == 200


def test_assigning_changes_words_that_start_in_the_range(
    client: TestClient, services: Services, path: str
) -> None:
    body = {"speaker": 7, "timestamp_from": 1.0, "timestamp_to": 3.0}
    assert client.patch(f"{path}/speaker/assign", json=body).json() == {"status": "ok"}
    assert speakers(services, path) == [0, 7, 7, 7, 2, 2]
    groups = client.get(f"{path}/topics/topic/words-per-speaker").json()["words_per_speaker"]
    assert [(g["speaker"], len(g["words"])) for g in groups] == [(0, 1), (7, 3), (2, 2)]
    assert client.get(f"{path}/topics").json()[0]["segments"][1]["speaker"] == 7


def test_participant_without_a_number_gets_the_first_free_one(
    client: TestClient, services: Services, path: str
) -> None:
    add(client, path, "Anna", 3)
    ben = add(client, path, "Ben").json()
    body = {"participant": ben["id"], "timestamp_from": 0, "timestamp_to": 0}
    client.patch(f"{path}/speaker/assign", json=body)
    assert speakers(services, path)[0] == 4
    assert client.get(f"{path}/participants/{ben['id']}").json()["speaker"] == 4


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [({}, 400, "Either speaker or participant must be provided"),
     ({"speaker": 1, "participant": "x"}, 400, "Only one of speaker or participant must be provided"),
     ({"participant": "x"}, 404, "Participant not found"), ({"speaker": -1}, 422, None)],
)  # fmt: skip
def test_bad_assignments(
    client: TestClient, path: str, body: dict[str, Any], status: int, detail: str | None
) -> None:
    answer = client.patch(
        f"{path}/speaker/assign", json={**body, "timestamp_from": 0, "timestamp_to": 1}
    )
    assert answer.status_code == status
    if detail:
        assert answer.json()["detail"] == detail


def test_merge_takes_the_participant_along(
    client: TestClient, services: Services, path: str
) -> None:
    anna = add(client, path, "Anna", 0).json()
    body = {"speaker_from": 0, "speaker_to": 1}
    assert client.patch(f"{path}/speaker/merge", json=body).json() == {"status": "ok"}
    assert speakers(services, path) == [1, 1, 1, 1, 2, 2]
    assert client.get(f"{path}/participants/{anna['id']}").json()["speaker"] == 1
    add(client, path, "Ben", 2)
    both = client.patch(f"{path}/speaker/merge", json={"speaker_from": 1, "speaker_to": 2})
    assert (both.status_code, both.json()["detail"]) == (
        400, "Both speakers are assigned to participants",
    )  # fmt: skip


def test_participant_cannot_be_made_somebody_elses_account(client: TestClient, path: str) -> None:
    person = {"name": "Anna", "speaker": 0, "user_id": "somebody-else"}
    answer = client.patch(path, json={"participants": [person]})
    assert answer.status_code == 400
    assert "your own" in answer.json()["detail"]
    assert client.get(f"{path}/participants").json() == []


def test_names_are_those_of_what_one_sees_and_not_of_the_trash(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
    client = client_of(services)
    anna, ben = (make_person(services, f"{name}@example.org") for name in ("anna", "ben"))
    for owner, names, deleted in [
        (anna, ["Zoe", "Anna"], None), (anna, ["Zoe"], None), (anna, ["Gone"], now()), (ben, ["Ben"], None),
    ]:  # fmt: skip
        transcript_id = make_transcript(services, user_id=owner.id, deleted_at=deleted)
        with services.db.write() as session:
            for name in names:
                session.add(Participant(transcript_id=transcript_id, name=name))
    path = "/v1/participants/names"
    assert client.get(path, headers=anna.bearer).json() == ["Zoe", "Anna"]
    assert client.get(path).status_code == 401
