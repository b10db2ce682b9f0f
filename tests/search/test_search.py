"""One table of cases (`cases.json`), on FTS5 and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete

from reflector.db.models import Participant, Room, SearchDocument, Transcript, now
from reflector.db.words import store_words
from reflector.search import index
from reflector.services import Services
from reflector.transcript.words import Word
from tests.conftest import OpenServices, client_of

TABLE = json.loads(Path(__file__).with_name("cases.json").read_text())
PATH = "/v1/transcripts/search"


def add(services: Services, number: int, document: dict[str, Any], **values: Any) -> str:
    with services.db.write() as session:
        transcript = Transcript(
            name=document.get("name", ""), source_kind="file", title=document["title"],
            long_summary=document["summary"], source_language=document["language"],
            created_at=now() - timedelta(days=number), shown_run=1, duration=1000.0, **values,
        )  # fmt: skip
        session.add(transcript)
        session.flush()
        words = [Word(f" {w}", n, n + 0.5) for n, w in enumerate(document["body"].split())]
        store_words(session, transcript.id, 1, words)
        index.update(session, transcript, document["language"])
        return transcript.id


@pytest.fixture
def library(open_with: OpenServices) -> tuple[Services, dict[str, str]]:
    services = open_with()
    ids = {
        add(services, number, document): name
        for number, (name, document) in enumerate(TABLE["documents"].items())
    }
    return services, ids


@pytest.fixture
def client(library: tuple[Services, dict[str, str]]) -> TestClient:
    return client_of(library[0])


def test_the_table_of_cases(library: tuple[Services, dict[str, str]], client: TestClient) -> None:
    ids = library[1]
    wrong: list[tuple[str, object, object]] = []
    for case in TABLE["cases"]:
        answer = client.get(PATH, params={"q": case["q"]})
        body = answer.json()
        found = [ids[item["id"]] for item in body["results"]]
        if sorted(found) != case["found"] or body["total"] != len(found):
            wrong.append((case["q"], sorted(found), case["found"]))
        if case.get("first") and found[0] != case["first"]:
            wrong.append((case["q"], found[0], case["first"]))
        ranks = [item["rank"] for item in body["results"]]
        assert ranks == sorted(ranks, reverse=True)
        assert all(0 <= rank <= 1 for rank in ranks)
    assert wrong == []


def test_title_counts_more_than_summary_and_summary_more_than_words(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    ids, services = library[1], library[0]
    blank = {"title": "x", "summary": "x", "body": "x", "language": "en"}
    places = {
        add(services, 50, {**blank, place: "zebra"}): place
        for place in ("body", "summary", "title")
    }
    found = client.get(PATH, params={"q": "zebra"}).json()["results"]
    assert [places[item["id"]] for item in found] == ["title", "summary", "body"]
    assert not set(places) & set(ids)


def test_words_with_combining_marks_are_whole(open_with: OpenServices) -> None:
    """Vowel signs of Indic scripts, Thai vowels, points of Hebrew, accents that stand alone."""
    table = json.loads(Path(__file__).with_name("scripts.json").read_text())
    services = open_with()
    ids = {
        add(services, number, document): name
        for number, (name, document) in enumerate(table["documents"].items())
    }
    client = client_of(services)
    found = {}
    for case in table["cases"]:
        results = client.get(PATH, params={"q": case["q"]}).json()["results"]
        found[case["q"]] = [ids[item["id"]] for item in results]
    assert found == {case["q"]: case["found"] for case in table["cases"]}


def test_nothing_typed_shows_the_newest_first(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    body = client.get(PATH, params={"q": "", "limit": 2, "offset": 1}).json()
    names = list(TABLE["documents"])
    assert [library[1][item["id"]] for item in body["results"]] == names[1:3]
    assert (body["total"], body["query"], body["limit"], body["offset"]) == (7, None, 2, 1)
    assert [item["rank"] for item in body["results"]] == [1.0, 1.0]
    assert [item["search_snippets"] for item in body["results"]] == [[], []]


def test_snippets_come_from_summary_and_words(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    results = client.get(PATH, params={"q": "budget"}).json()["results"]
    by_name = {library[1][item["id"]]: item for item in results}
    assert by_name["budget"]["search_snippets"] == [
        "The team looked at the yearly budget.",
        "We planned the budgets for marketing. Will Smith will follow up in May.",
    ]
    assert by_name["budget"]["total_match_count"] == 2
    assert by_name["hiring"]["total_match_count"] == 3
    assert by_name["hiring"]["duration"] == 1000.0


def test_filters_narrow_the_hits(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    services = library[0]
    with services.db.write() as session:
        session.add(Room(id="r1", name="Board room", user_id="u", platform="daily"))
    blank = {"title": "budget", "summary": "", "body": "x", "language": "en"}
    kept = add(services, 0, blank, room_id="r1")
    lost = add(services, 0, blank, room_id="r2")

    def ids(**query: Any) -> set[str]:
        return {
            i["id"] for i in client.get(PATH, params={"q": "budget", **query}).json()["results"]
        }

    assert ids(room_id="r1") == {kept}
    assert ids(source_kind="room") == set()
    assert {kept, lost} <= ids(source_kind="file")
    day = now() - timedelta(hours=12)
    assert {kept, lost} <= ids(**{"from": day.isoformat()})
    assert not {kept, lost} & ids(to=day.isoformat())
    rooms = {
        i["id"]: i["room_name"] for i in client.get(PATH, params={"q": "budget"}).json()["results"]
    }
    assert (rooms[kept], rooms[lost]) == ("Board room", "Deleted Room")


def test_file_is_found_by_its_name_once_it_has_a_title(
    client: TestClient, library: tuple[Services, dict[str, str]]
) -> None:
    text = {"title": "Made by the analysis", "summary": "", "body": "x", "language": "en"}
    found = add(library[0], 0, {**text, "name": "2026-11-27 Okapi"})
    results = client.get(PATH, params={"q": "okapi"}).json()["results"]
    assert [item["id"] for item in results] == [found]


def test_filters_by_state_speaker_and_owner(
    client: TestClient, library: tuple[Services, dict[str, str]]
) -> None:
    services = library[0]
    text = {"title": "giraffe", "summary": "", "body": "x", "language": "en"}
    mine, theirs = add(services, 0, text), add(services, 0, text)
    with services.db.write() as session:
        session.get_one(Transcript, mine).status = "error"
        session.add(Participant(transcript_id=mine, name="Renée 100%", speaker=0))
        session.add(Participant(transcript_id=theirs, name="Оттó", speaker=None))

    def ids(**query: str) -> set[str]:
        found = client.get(PATH, params={"q": "giraffe", **query}).json()["results"]
        return {item["id"] for item in found}

    assert ids(status="error") == {mine}
    assert ids(speaker="renée") == ids(speaker="100%") == {mine}
    assert ids(speaker="оТТ") == {theirs}  # Cyrillic
    assert ids(speaker="%") == {mine}
    assert ids(speaker="  ") == ids(owner="me") == {mine, theirs}  # nobody has an account
    assert ids(owner="others") == set()


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 422), ({"q": "a", "limit": 0}, 422), ({"q": "a", "limit": 101}, 422), ({"q": "a", "offset": -1}, 422),
     ({"q": "a", "from": "2026-01-01T00:00:00"}, 422), ({"q": "a", "source_kind": "x"}, 422),
     ({"q": "a", "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 400)],
)  # fmt: skip
def test_bad_queries(client: TestClient, query: dict[str, Any], status: int) -> None:
    answer = client.get(PATH, params=query)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["detail"] == "'from' must be less than or equal to 'to'"


def test_trash_is_searched_only_when_asked(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    ids = {name: transcript_id for transcript_id, name in library[1].items()}
    for name in ("budget", "launch"):
        client.delete(f"/v1/transcripts/{ids[name]}")
    found = client.get(PATH, params={"q": "budget"}).json()["results"]
    assert {library[1][item["id"]] for item in found} == {"hiring", "german"}
    trash = client.get(PATH, params={"q": "", "include_deleted": True}).json()["results"]
    assert [library[1][item["id"]] for item in trash] == ["launch", "budget"]


def test_a_changed_title_is_found_at_once(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    ids = {name: transcript_id for transcript_id, name in library[1].items()}
    client.patch(f"/v1/transcripts/{ids['hiring']}", json={"title": "Wombats"})
    found = client.get(PATH, params={"q": "wombat"}).json()["results"]
    assert [item["id"] for item in found] == [ids["hiring"]]


def test_what_was_there_before_the_index_is_found_after_a_start(
    library: tuple[Services, dict[str, str]], client: TestClient
) -> None:
    services = library[0]
    with services.db.write() as session:
        session.execute(delete(SearchDocument))
    assert client.get(PATH, params={"q": "launch"}).json()["total"] == 0
    assert index.backfill(services.db) == len(library[1])
    assert index.backfill(services.db) == 0
    found = client.get(PATH, params={"q": '"launch party"'}).json()["results"]
    assert [library[1][item["id"]] for item in found] == ["launch"]


@pytest.mark.parametrize("query", [" ".join(["word"] * 600), "x" * 10_000, "word " * 3000])
def test_query_of_a_whole_page_is_refused_at_once(client: TestClient, query: str) -> None:
    """It ran for minutes on PostgreSQL, and took a gigabyte on SQLite."""
    answer = client.get("/v1/transcripts/search", params={"q": query})
    assert answer.status_code in {400, 414}
    if answer.status_code == 400:
        assert "at most 50 words" in answer.json()["detail"]


def test_query_of_a_sentence_is_answered(client: TestClient) -> None:
    answer = client.get("/v1/transcripts/search", params={"q": " ".join(["budget"] * 50)})
    assert answer.status_code == 200
