"""What people change is noted with what it was before, and can be undone where nobody changed it since."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Topic, Transcript
from reflector.db.words import load_words, store_words
from reflector.services import Services
from reflector.transcript.words import Word
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of


@pytest.fixture
def path(services: Services) -> str:
    actions = {"decisions": [], "next_steps": [{"task": "Call Anna"}]}
    transcript_id = make_transcript(services, shown_run=1, title="Machine", action_items=actions)
    with services.db.write() as session:
        words = [Word(f" w{n}", float(n), n + 0.5, n // 3) for n in range(6)]
        store_words(session, transcript_id, 1, words)
        session.add(Topic(
            id="topic", transcript_id=transcript_id, run=1, position=0, title="t", summary="s",
            timestamp=3, duration=3.0, first_word=3, last_word=6,
        ))  # fmt: skip
    return f"/v1/transcripts/{transcript_id}"


def history(client: TestClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{path}/history").json()
    return found


def undo(client: TestClient, path: str, number: int = 0) -> int:
    edit = history(client, path)[number]["id"]
    return client.post(f"{path}/history/{edit}/undo").status_code


def words(client: TestClient, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{path}/words").json()
    return found


def correction(first: float, last: float, before: str, text: str) -> dict[str, Any]:
    return {"timestamp_from": first, "timestamp_to": last, "before": before, "text": text}


def marks(services: Services, path: str) -> dict[str, Any] | None:
    with services.db.read() as session:
        return session.get_one(Transcript, path.rpartition("/")[2]).edits


def test_title_of_the_machine_comes_back_and_is_the_next_runs_again(
    client: TestClient, services: Services, path: str
) -> None:
    client.patch(path, json={"title": "Ours"})
    [edit] = history(client, path)
    assert edit["changes"] == [
        {"part": "title", "at_seconds": None, "before": "Machine", "after": "Ours"}
    ]
    assert undo(client, path) == 200
    assert client.get(path).json()["title"] == "Machine"
    assert marks(services, path) is None
    assert undo(client, path) == 200  # the undo itself
    assert client.get(path).json()["title"] == "Ours"


def test_title_that_somebody_wrote_before_stays_theirs(
    client: TestClient, services: Services, path: str
) -> None:
    for title in ("First", "Second"):
        client.patch(path, json={"title": title})
    assert undo(client, path) == 200
    assert client.get(path).json()["title"] == "First"
    assert marks(services, path) == {"fields": ["title"]}


def test_later_change_is_not_lost_by_undoing_an_earlier_one(client: TestClient, path: str) -> None:
    for title in ("First", "Second"):
        client.patch(path, json={"title": title})
    assert undo(client, path, 1) == 409
    assert client.get(path).json()["title"] == "Second"


def test_what_changes_nothing_is_not_noted(client: TestClient, path: str) -> None:
    client.patch(path, json={"title": "Machine"})
    client.patch(path, json={"base_change_seq": -1, "title": "refused"})
    assert history(client, path) == []


def test_corrected_words_come_back_with_their_times_and_topics(
    client: TestClient, services: Services, path: str
) -> None:
    before = words(client, path)
    client.patch(
        f"{path}/words", json=correction(1, 3, "w1 w2 w3", "something else that is longer")
    )
    assert undo(client, path) == 200
    assert words(client, path) == before
    [topic] = client.get(f"{path}/topics/with-words").json()
    assert [word["text"] for word in topic["words"]] == [" w3", " w4", " w5"]
    assert marks(services, path) is None


def test_removed_words_come_back_where_they_were(client: TestClient, path: str) -> None:
    before = words(client, path)
    client.patch(f"{path}/words", json=correction(2, 3, "w2 w3", ""))
    assert len(words(client, path)) == 4
    assert undo(client, path) == 200
    assert words(client, path) == before


def test_undone_correction_leaves_an_earlier_one_to_the_next_run(
    client: TestClient, services: Services, path: str
) -> None:
    client.patch(f"{path}/words", json=correction(1, 1, "w1", "one"))
    client.patch(f"{path}/words", json=correction(1, 2, "one w2", "two"))
    assert undo(client, path) == 200
    assert marks(services, path) == {"words": [[1.0, 2.5, "one w2"]]}


def test_words_that_were_corrected_again_are_not_lost(client: TestClient, path: str) -> None:
    client.patch(f"{path}/words", json=correction(1, 2, "w1 w2", "one two"))
    client.patch(f"{path}/words", json=correction(2, 2, "two", "three"))
    assert undo(client, path, 1) == 409
    assert [w["text"] for w in words(client, path)][1:3] == [" one", " three"]


def test_words_of_a_run_that_is_gone_are_not_put_back(
    client: TestClient, services: Services, path: str
) -> None:
    client.patch(f"{path}/words", json=correction(1, 2, "w1 w2", "one two"))
    with services.db.write() as session:
        transcript = session.get_one(Transcript, path.rpartition("/")[2])
        store_words(session, transcript.id, 2, load_words(session, transcript.id, 1))
        transcript.shown_run = 2
    assert undo(client, path) == 409


def test_all_places_are_corrected_or_none(client: TestClient, path: str) -> None:
    before = words(client, path)
    both = [correction(1, 1, "w1", "x y"), correction(4, 4, "other", "x")]
    refused = client.post(f"{path}/words/corrections", json={"corrections": both})
    assert refused.status_code == 409
    assert words(client, path) == before
    both[1]["before"] = "w4"
    answer = client.post(f"{path}/words/corrections", json={"corrections": both})
    assert answer.json() == {"corrected": 2}
    assert [w["text"] for w in words(client, path)] == [
        " w0",
        " x",
        " y",
        " w2",
        " w3",
        " x",
        " w5",
    ]
    [edit] = history(client, path)
    assert edit["changes"] == [
        {"part": "words", "at_seconds": 1.0, "before": "w1 … w4", "after": "x y … x"}
    ]
    assert undo(client, path) == 200
    assert words(client, path) == before


def test_words_go_back_to_whoever_said_them(client: TestClient, path: str) -> None:
    before = words(client, path)
    span = {"timestamp_from": 1, "timestamp_to": 4}
    client.patch(f"{path}/speaker/assign", json={"speaker": 7, **span})
    assert {w["speaker"] for w in words(client, path)[1:5]} == {7}
    assert undo(client, path) == 200
    assert words(client, path) == before


def test_merged_speakers_come_apart_with_their_names(client: TestClient, path: str) -> None:
    before = words(client, path)
    client.post(f"{path}/participants", json={"name": "Anna", "speaker": 0})
    client.patch(f"{path}/speaker/merge", json={"speaker_from": 0, "speaker_to": 1})
    assert {w["speaker"] for w in words(client, path)} == {1}
    assert undo(client, path) == 200
    assert words(client, path) == before
    [anna] = client.get(f"{path}/participants").json()
    assert (anna["name"], anna["speaker"]) == ("Anna", 0)


def test_removed_name_comes_back(client: TestClient, path: str) -> None:
    anna = client.post(f"{path}/participants", json={"name": "Anna", "speaker": 0}).json()
    client.delete(f"{path}/participants/{anna['id']}")
    assert undo(client, path) == 200
    assert client.get(f"{path}/participants").json() == [anna]


def test_action_items_are_changed_and_kept(
    client: TestClient, services: Services, path: str
) -> None:
    items = {"next_steps": [{"task": "Call Ben", "assigned_to": "Anna", "done": True}]}
    assert client.patch(path, json={"action_items": items}).status_code == 200
    shown = client.get(f"{path}/run").json()
    assert shown["action_items"]["next_steps"][0]["done"] is True
    assert shown["edited"] == ["action_items"]
    assert shown["change_seq"] == client.get(path).json()["change_seq"]
    [edit] = history(client, path)
    assert [(c["before"], c["after"]) for c in edit["changes"]] == [("Call Anna", "Call Ben")]
    assert undo(client, path) == 200
    assert marks(services, path) is None


@pytest.mark.parametrize("items", [
    {"next_steps": [{"task": ""}]},
    {"next_steps": [{"assigned_to": "Anna"}]},
    {"next_steps": [{"task": "x" * 2001}]},
    {"decisions": [{"decision": "x"}] * 501},
    ["task"],
])  # fmt: skip
def test_bad_action_items_are_refused(client: TestClient, path: str, items: Any) -> None:
    assert client.patch(path, json={"action_items": items}).status_code == 422


def test_history_names_who_it_was_and_is_not_for_readers(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
    client = client_of(services)
    owner, reader = (make_person(services, f"{name}@example.org") for name in ("owner", "reader"))
    path = f"/v1/transcripts/{make_transcript(services, user_id=owner.id, share_mode='public')}"
    client.patch(path, json={"title": "Ours"}, headers=owner.bearer)
    [edit] = client.get(f"{path}/history", headers=owner.bearer).json()
    assert edit["by"] == "owner@example.org"
    assert client.get(f"{path}/history", headers=reader.bearer).status_code == 403
    other = f"/v1/transcripts/{make_transcript(services, user_id=reader.id)}"
    stolen = client.post(f"{other}/history/{edit['id']}/undo", headers=reader.bearer)
    assert stolen.status_code == 404
