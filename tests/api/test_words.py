"""Words that people correct: their times, topics and search go along, and nobody's correction is lost."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Step, StepState, Topic, Transcript
from reflector.db.words import load_words, store_words
from reflector.search import index
from reflector.services import Services
from reflector.transcript.words import Word
from tests.api.people import make_transcript


@pytest.fixture
def path(services: Services) -> str:
    transcript_id = make_transcript(services, shown_run=1)
    with services.db.write() as session:
        words = [Word(f" w{n}", float(n), n + 0.5, n // 3) for n in range(6)]
        store_words(session, transcript_id, 1, words)
        for number, (first, last) in enumerate([(0, 3), (3, 6)]):
            session.add(Topic(
                id=f"topic{number}", transcript_id=transcript_id, run=1, position=number, title="t",
                summary="s", timestamp=first, duration=3.0, first_word=first, last_word=last,
            ))  # fmt: skip
        transcript = session.get(Transcript, transcript_id)
        assert transcript
        index.update(session, transcript, "en")
    return f"/v1/transcripts/{transcript_id}"


def correct(client: TestClient, path: str, before: str, text: str, **span: float) -> Any:
    body = {"timestamp_from": 1, "timestamp_to": 2, "before": before, "text": text, **span}
    return client.patch(f"{path}/words", json=body)


def texts(client: TestClient, path: str) -> list[str]:
    return [word["text"].strip() for word in client.get(f"{path}/words").json()]


def test_words_are_corrected_and_the_others_stay(client: TestClient, path: str) -> None:
    answer = correct(client, path, "w1 w2", "w1 budget")
    assert answer.json() == [
        {"text": " w1", "start": 1.0, "end": 1.5, "speaker": 0},
        {"text": " budget", "start": 2.0, "end": 2.5, "speaker": 0},
    ]
    assert texts(client, path) == ["w0", "w1", "budget", "w3", "w4", "w5"]
    assert "w0 w1 budget" in client.get(path).json()["transcript"]
    assert client.get(f"{path}/run").json()["edited"] == ["words"]


def test_topics_keep_their_words_when_there_are_more_or_less(client: TestClient, path: str) -> None:
    correct(client, path, "w1 w2", "one two three four")
    topics = client.get(f"{path}/topics/with-words").json()
    said = [[word["text"].strip() for word in topic["words"]] for topic in topics]
    assert said == [["w0", "one", "two", "three", "four"], ["w3", "w4", "w5"]]
    across = {"timestamp_from": 2, "timestamp_to": 3}
    assert correct(client, path, "three four w3", "", **across).json() == []
    topics = client.get(f"{path}/topics/with-words").json()
    said = [[word["text"].strip() for word in topic["words"]] for topic in topics]
    assert said == [["w0", "one", "two"], ["w4", "w5"]]


def test_search_finds_what_was_corrected(client: TestClient, path: str) -> None:
    correct(client, path, "w1 w2", "quarterly budget")
    found = client.get("/v1/transcripts/search", params={"q": "quarterly"}).json()
    assert [each["id"] for each in found["results"]] == [path.rpartition("/")[2]]
    assert client.get("/v1/transcripts/search", params={"q": "w2"}).json()["total"] == 0


def test_second_of_two_people_is_told_what_the_first_wrote(client: TestClient, path: str) -> None:
    assert correct(client, path, "w1 w2", "first of all").status_code == 200
    late = correct(client, path, "w1 w2", "something else")
    assert late.status_code == 409
    assert "“first of all”" in late.json()["detail"]
    assert texts(client, path)[1:4] == ["first", "of", "all"]


def test_correction_outside_of_the_words_is_refused(client: TestClient, path: str) -> None:
    span = {"timestamp_from": 100.0, "timestamp_to": 200.0}
    assert correct(client, path, "", "more", **span).status_code == 404
    everything = {"timestamp_from": 0.0, "timestamp_to": 10.0}
    emptied = correct(client, path, "w0 w1 w2 w3 w4 w5", " ", **everything)
    assert emptied.status_code == 400
    assert len(texts(client, path)) == 6


def test_words_are_not_corrected_while_they_are_worked_on(
    client: TestClient, services: Services, path: str
) -> None:
    with services.db.write() as session:
        session.get_one(Transcript, path.rpartition("/")[2]).last_run = 1
        session.add(Step(
            transcript_id=path.rpartition("/")[2], run=1, name="topics", state=StepState.RUNNING
        ))  # fmt: skip
    busy = correct(client, path, "w1 w2", "budget")
    assert busy.status_code == 400
    assert "being processed" in busy.json()["detail"]


def test_correction_is_stored_for_the_next_run(
    client: TestClient, services: Services, path: str
) -> None:
    correct(client, path, "w1 w2", "budget")
    correct(client, path, "w0", "The", timestamp_from=0.0, timestamp_to=0.5)
    with services.db.read() as session:
        transcript = session.get(Transcript, path.rpartition("/")[2])
        assert transcript
        assert transcript.edits == {"words": [[1.0, 2.5, "budget"], [0.0, 0.5, "The"]]}
        assert [w.text for w in load_words(session, transcript.id, 1)][:2] == [" The", " budget"]
