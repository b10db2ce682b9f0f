"""What strangers learn of people, and what is left of deleted sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Participant, Step, StepState, Transcript
from reflector.housekeeping import deletions
from reflector.services import Services
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET, PUBLIC_MODE=True)


def shared(services: Services, owner: Person) -> str:
    """Public, with the owner among its participants."""
    transcript = make_transcript(services, user_id=owner.id, share_mode="public", title="Budget")
    with services.db.write() as session:
        session.add(Participant(transcript_id=transcript, name="Anna", user_id=owner.id))
    return transcript


def answers(client: TestClient, transcript: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    one = client.get(f"/v1/transcripts/{transcript}", headers=headers).json()
    lists = [
        client.get(path, headers=headers).json()
        for path in ("/v1/transcripts", "/v1/transcripts/search?q=")
    ]
    items = [item for each in lists for item in each.get("items") or each.get("results") or []]
    return [one, *(item for item in items if item["id"] == transcript)]


def test_strangers_learn_no_ids_and_no_addresses(client: TestClient, services: Services) -> None:
    anna, bert = (make_person(services, f"{name}@example.org") for name in ("anna", "bert"))
    transcript = shared(services, anna)
    for headers in ({}, bert.bearer):
        for answer in answers(client, transcript, headers):
            assert answer["user_id"] is None
            assert anna.id not in str(answer)
            assert anna.email not in str(answer)
    own = answers(client, transcript, anna.bearer)
    assert len(own) == 3
    assert {answer["user_id"] for answer in own} == {anna.id}
    assert own[0]["participants"][0]["email"] == anna.email


@pytest.fixture
def recorded(services: Services, tmp_path: Path) -> tuple[Person, str]:
    owner = make_person(services, "anna@example.org")
    transcript = make_transcript(services, user_id=owner.id)
    for name in ("upload.wav", "audio.mp3"):
        (tmp_path / "a").write_bytes(b"sound")
        services.storage.adopt(tmp_path / "a", f"{transcript}/{name}")
    with services.db.write() as session:
        session.get_one(Transcript, transcript).upload_key = f"{transcript}/upload.wav"
    return owner, transcript


def test_deleted_audio_is_gone_and_not_only_hidden(
    client: TestClient, services: Services, recorded: tuple[Person, str]
) -> None:
    owner, transcript = recorded
    path = f"/v1/transcripts/{transcript}"
    answer = client.patch(path, json={"audio_deleted": True}, headers=owner.bearer)
    assert answer.json()["audio_deleted"] is True
    deletions.execute(services)
    assert services.storage.keys(transcript) == []
    back = client.patch(path, json={"audio_deleted": False}, headers=owner.bearer)
    assert back.json()["detail"] == "The audio of this transcript was deleted for good."
    again = client.post(f"{path}/process", headers=owner.bearer)
    assert again.json()["detail"] == "Recording is not ready for processing"
    upload = client.post(
        f"{path}/record/upload?chunk_number=0&total_chunks=1",
        files={"chunk": ("a.wav", b"RIFF")}, headers=owner.bearer,
    )  # fmt: skip
    assert "was deleted" in upload.json()["detail"]


def test_audio_that_is_being_worked_on_is_not_deleted_under_the_work(
    client: TestClient, services: Services, recorded: tuple[Person, str]
) -> None:
    owner, transcript = recorded
    with services.db.write() as session:
        session.get_one(Transcript, transcript).last_run = 1
        for name, state in (("decode", StepState.DONE), ("transcribe", StepState.RUNNING)):
            session.add(Step(transcript_id=transcript, run=1, name=name, state=state))
    answer = client.patch(
        f"/v1/transcripts/{transcript}", json={"audio_deleted": True}, headers=owner.bearer
    )
    assert answer.status_code == 400
    assert len(services.storage.keys(transcript)) == 2
