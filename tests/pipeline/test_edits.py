"""What people changed, and a run that comes after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Transcript
from reflector.db.words import load_words
from reflector.pipeline import registry
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.step import StepName
from reflector.services import Services
from reflector.transcript.words import plain_text
from tests.conftest import HELD_OUT
from tests.pipeline.helpers import add_recording, process, transcript_of


@pytest.fixture
def transcript_id(services: Services) -> str:
    found = add_recording(services, HELD_OUT)
    process(services, found)
    return found


def again(services: Services, client: TestClient, transcript_id: str, edits: str) -> None:
    """As the page does it; the work of the run is done here."""
    answer = client.post(f"/v1/transcripts/{transcript_id}/process", params={"edits": edits})
    assert answer.json() == {"status": "ok"}
    InlineRunner(services).run(transcript_id, transcript_of(services, transcript_id).last_run)


def speakers(services: Services, transcript_id: str) -> list[int]:
    with services.db.read() as session:
        run = session.get_one(Transcript, transcript_id).shown_run
        return [word.speaker for word in load_words(session, transcript_id, run)]


def said(services: Services, transcript_id: str) -> str:
    with services.db.read() as session:
        run = session.get_one(Transcript, transcript_id).shown_run
        return plain_text(load_words(session, transcript_id, run))


def test_words_of_a_person_stay(services: Services, client: TestClient, transcript_id: str) -> None:
    heard = said(services, transcript_id)
    first, second = client.get(f"/v1/transcripts/{transcript_id}/words").json()[:2]
    change = {
        "timestamp_from": first["start"],
        "timestamp_to": second["start"],
        "before": first["text"] + second["text"],
        "text": "Good morning to you all",
    }
    answer = client.patch(f"/v1/transcripts/{transcript_id}/words", json=change)
    assert answer.status_code == 200
    corrected = said(services, transcript_id)
    assert corrected.startswith("Good morning to you all ")
    again(services, client, transcript_id, "keep")
    assert said(services, transcript_id) == corrected
    again(services, client, transcript_id, "keep")
    assert said(services, transcript_id) == corrected
    again(services, client, transcript_id, "discard")
    assert said(services, transcript_id) == heard


def test_title_and_summary_of_a_person_stay(
    services: Services, client: TestClient, transcript_id: str
) -> None:
    before = transcript_of(services, transcript_id)
    path = f"/v1/transcripts/{transcript_id}"
    client.patch(path, json={"title": "Budget 2027", "long_summary": "We agreed."})
    assert client.get(f"{path}/run").json()["edited"] == ["long_summary", "title"]
    again(services, client, transcript_id, "keep")
    kept = transcript_of(services, transcript_id)
    assert (kept.title, kept.long_summary) == ("Budget 2027", "We agreed.")
    assert kept.short_summary == before.short_summary
    again(services, client, transcript_id, "discard")
    replaced = transcript_of(services, transcript_id)
    assert (replaced.title, replaced.long_summary) == (before.title, before.long_summary)
    assert client.get(f"{path}/run").json()["edited"] == []


def test_title_that_was_taken_back_comes_from_the_next_run(
    services: Services, client: TestClient, transcript_id: str
) -> None:
    before = transcript_of(services, transcript_id).title
    for title in ("Mine", None):
        client.patch(f"/v1/transcripts/{transcript_id}", json={"title": title})
    again(services, client, transcript_id, "keep")
    assert transcript_of(services, transcript_id).title == before


def test_assigned_and_merged_speakers_stay(
    services: Services, client: TestClient, transcript_id: str
) -> None:
    first = speakers(services, transcript_id)
    path = f"/v1/transcripts/{transcript_id}/speaker"
    with services.db.read() as session:
        words = load_words(session, transcript_id, 1)
    assigned = {"speaker": 5, "timestamp_from": words[0].start, "timestamp_to": words[2].start}
    assert client.patch(f"{path}/assign", json=assigned).status_code == 200
    corrected = speakers(services, transcript_id)
    assert corrected[:3] == [5, 5, 5]
    again(services, client, transcript_id, "keep")
    assert speakers(services, transcript_id) == corrected
    merge = {"speaker_from": 5, "speaker_to": corrected[3]}
    assert client.patch(f"{path}/merge", json=merge).status_code == 200
    again(services, client, transcript_id, "keep")
    assert speakers(services, transcript_id) == [s if s != 5 else corrected[3] for s in corrected]
    again(services, client, transcript_id, "discard")
    assert len(set(speakers(services, transcript_id))) == len(set(first))


def test_correction_made_while_a_run_works_is_not_lost(
    services: Services,
    client: TestClient,
    transcript_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = f"/v1/transcripts/{transcript_id}"
    with services.db.read() as session:
        words = load_words(session, transcript_id, 1)
    assigned = {"speaker": 7, "timestamp_from": words[0].start, "timestamp_to": words[0].start}
    work = registry.STEPS[StepName.FINISH]

    def finish(context: Any) -> dict[str, Any]:
        assert client.patch(f"{path}/speaker/assign", json=assigned).status_code == 200
        assert client.patch(path, json={"title": "Mine"}).status_code == 200
        return work.run(context)

    monkeypatch.setitem(
        registry.STEPS,
        StepName.FINISH,
        replace(work, run=finish),
    )
    again(services, client, transcript_id, "keep")
    assert speakers(services, transcript_id)[0] == 7
    assert transcript_of(services, transcript_id).title == "Mine"
