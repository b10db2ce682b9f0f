"""Transcripts over HTTP: paths, fields, units and errors of the reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from reflector.db.models import SearchDocument, Topic, Transcript, Words
from reflector.services import Services

MINIMAL = {
    "id", "user_id", "name", "status", "locked", "duration", "title", "short_summary",
    "long_summary", "created_at", "share_mode", "source_language", "target_language", "reviewed",
    "meeting_id", "source_kind", "room_id", "room_name", "audio_deleted", "change_seq",
    "has_cloud_video", "cloud_video_duration",
}  # fmt: skip


def create(client: TestClient, **values: object) -> str:
    response = client.post("/v1/transcripts", json={"name": "Board", **values})
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


def fill(services: Services, transcript_id: str) -> None:
    """Words of two speakers and one topic, as the pipeline writes them."""
    with services.db.write() as session:
        transcript = session.get_one(Transcript, transcript_id)
        transcript.shown_run = 1
        rows = [[" Hello", 0.0, 0.4, 0], [" there.", 0.4, 0.8, 0], [" Hi", 61.0, 61.5, 1]]
        session.add(Words(transcript_id=transcript_id, run=1, words=rows))
        session.add(
            Topic(
                transcript_id=transcript_id, run=1, position=0, title="Greeting", summary="They greet.",
                timestamp=0.0, duration=61.5, first_word=0, last_word=3,
            )
        )  # fmt: skip


def test_new_transcript_has_the_fields_and_defaults_of_the_reference(client: TestClient) -> None:
    body = client.post("/v1/transcripts", json={"name": "Board"}).json()
    assert set(body) == MINIMAL | {"participants"}
    assert body["status"] == "idle"
    assert body["source_kind"] == "live"
    assert body["share_mode"] == "private"
    assert body["source_language"] == body["target_language"] == "en"
    assert body["participants"] == []
    assert body["created_at"].endswith("+00:00")


def test_list_is_paged_newest_first(client: TestClient) -> None:
    ids = [create(client, name=str(number)) for number in range(5)]
    page = client.get("/v1/transcripts", params={"size": 2, "page": 2}).json()
    assert [item["id"] for item in page["items"]] == [ids[2], ids[1]]
    assert (page["total"], page["page"], page["size"], page["pages"]) == (5, 2, 2, 3)
    assert set(page["items"][0]) == MINIMAL


def test_changes_are_a_feed_in_ascending_order(client: TestClient) -> None:
    first, second = create(client), create(client)
    seen = client.get("/v1/transcripts", params={"sort_by": "change_seq"}).json()["items"]
    assert [item["id"] for item in seen] == [first, second]
    client.patch(f"/v1/transcripts/{first}", json={"title": "Changed"})
    query = {"sort_by": "change_seq", "change_seq_from": seen[-1]["change_seq"]}
    assert [i["id"] for i in client.get("/v1/transcripts", params=query).json()["items"]] == [first]


def test_list_can_be_filtered(client: TestClient) -> None:
    file, live = create(client, source_kind="file"), create(client)
    client.patch(f"/v1/transcripts/{live}", json={"title": "50% off_plan"})
    found = client.get("/v1/transcripts", params={"source_kind": "file"}).json()["items"]
    assert [item["id"] for item in found] == [file]
    for term, count in (("OFF_PLAN", 1), ("50%", 1), ("5_%", 0), ("nothing", 0)):
        answer = client.get("/v1/transcripts", params={"search_term": term}).json()
        assert answer["total"] == count, term


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0},
        {"size": 0},
        {"size": 101},
        {"page": "x"},
        {"sort_by": "name"},
        {"source_kind": "tape"},
    ],
)
def test_bad_query_of_the_list_is_422(client: TestClient, query: dict[str, object]) -> None:
    response = client.get("/v1/transcripts", params=query)  # type: ignore[arg-type]
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][0] == "query"


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": "x", "source_kind": "tape"}, []])
def test_bad_body_of_create_is_422(client: TestClient, body: object) -> None:
    assert client.post("/v1/transcripts", json=body).status_code == 422


def test_four_formats(client: TestClient, services: Services) -> None:
    transcript_id = create(client)
    fill(services, transcript_id)
    client.patch(
        f"/v1/transcripts/{transcript_id}", json={"participants": [{"speaker": 1, "name": "Ben"}]}
    )

    def text(name: str) -> object:
        path = f"/v1/transcripts/{transcript_id}"
        body = client.get(path, params={"transcript_format": name}).json()
        assert body["transcript_format"] == name
        return body["transcript"]

    assert text("text") == "Speaker 0: Hello there.\nBen: Hi"
    assert text("text-timestamped") == "[00:00] Speaker 0: Hello there.\n[01:01] Ben: Hi"
    assert "00:01:01.000 --> 00:01:01.500\n<v Ben>Hi" in str(text("webvtt-named"))
    assert text("json") == [
        {
            "speaker": 0,
            "speaker_name": "Speaker 0",
            "text": "Hello there.",
            "start": 0.0,
            "end": 0.8,
        },
        {"speaker": 1, "speaker_name": "Ben", "text": "Hi", "start": 61.0, "end": 61.5},
    ]


def test_text_is_the_default_format_and_another_is_422(client: TestClient) -> None:
    path = f"/v1/transcripts/{create(client)}"
    assert client.get(path).json()["transcript_format"] == "text"
    assert client.get(path, params={"transcript_format": "pdf"}).status_code == 422


def test_topics_carry_segments_and_on_request_words(client: TestClient, services: Services) -> None:
    transcript_id = create(client)
    fill(services, transcript_id)
    (topic,) = client.get(f"/v1/transcripts/{transcript_id}/topics").json()
    assert set(topic) == {
        "id",
        "title",
        "summary",
        "timestamp",
        "duration",
        "transcript",
        "segments",
    }
    assert topic["segments"][1] == {"text": "Hi", "start": 61.0, "speaker": 1}
    (topic,) = client.get(f"/v1/transcripts/{transcript_id}/topics/with-words").json()
    assert topic["words"][2] == {"text": " Hi", "start": 61.0, "end": 61.5, "speaker": 1}


def test_patch_changes_what_is_sent_and_nothing_else(client: TestClient) -> None:
    transcript_id = create(client)
    body = client.patch(
        f"/v1/transcripts/{transcript_id}",
        json={
            "title": "Plan",
            "share_mode": "public",
            "participants": [{"speaker": 0, "name": "Ann"}],
        },
    ).json()
    assert (body["title"], body["share_mode"], body["name"]) == ("Plan", "public", "Board")
    assert body["participants"][0]["name"] == "Ann"
    body = client.patch(f"/v1/transcripts/{transcript_id}", json={"reviewed": True}).json()
    assert body["reviewed"] is True
    assert body["participants"][0]["name"] == "Ann"


def test_patch_with_an_unknown_share_mode_is_422(client: TestClient) -> None:
    path = f"/v1/transcripts/{create(client)}"
    assert client.patch(path, json={"share_mode": "everyone"}).status_code == 422


def test_deleted_transcript_is_gone_until_it_is_restored(client: TestClient) -> None:
    path = f"/v1/transcripts/{create(client)}"
    for _ in range(2):
        assert client.delete(path).json() == {"status": "ok"}
    assert client.get(path).status_code == 404
    assert client.get("/v1/transcripts").json()["total"] == 0
    assert client.post(f"{path}/restore").json() == {"status": "ok"}
    assert client.get(path).status_code == 200
    again = client.post(f"{path}/restore")
    assert (again.status_code, again.json()["detail"]) == (400, "Transcript is not deleted")


def test_destroy_leaves_neither_row_nor_object(
    client: TestClient, services: Services, tmp_path: Path
) -> None:
    transcript_id = create(client)
    fill(services, transcript_id)
    (tmp_path / "audio.mp3").write_bytes(b"x")
    services.storage.adopt(tmp_path / "audio.mp3", f"{transcript_id}/audio.mp3")
    path = f"/v1/transcripts/{transcript_id}"
    early = client.delete(f"{path}/destroy")
    assert early.status_code == 400
    assert early.json()["detail"] == "Transcript must be soft-deleted first"
    client.delete(path)
    assert client.delete(f"{path}/destroy").json() == {"status": "ok"}
    assert client.delete(f"{path}/destroy").status_code == 404
    assert services.storage.keys(transcript_id) == []
    with services.db.read() as session:
        for table in (Transcript, Words, Topic, SearchDocument):
            assert session.scalars(select(table)).all() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/topics"), ("GET", "/topics/with-words"),
        ("GET", "/audio/mp3"), ("HEAD", "/audio/mp3"), ("GET", "/audio/waveform"), ("POST", "/process"),
        ("GET", "/run"), ("GET", "/words"), ("GET", "/events"),
        ("POST", "/record/upload?chunk_number=0&total_chunks=1"),
    ],
)  # fmt: skip
def test_unknown_id_is_404_everywhere(client: TestClient, method: str, path: str) -> None:
    body: dict[str, str] | None = {} if method == "PATCH" else None
    response = client.request(method, f"/v1/transcripts/nobody{path}", json=body)
    assert response.status_code == 404
    if method != "HEAD":
        assert response.json()["detail"] == "Transcript not found"


def test_health_is_static(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "healthy"}


def test_operation_ids_are_those_of_the_reference(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert paths["/v1/transcripts"]["get"]["operationId"] == "v1_transcripts_list"
    assert paths["/v1/transcripts/{transcript_id}"]["get"]["operationId"] == "v1_transcript_get"


def test_reading_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "swagger" in page.lower()
    assert "https://" not in page


@pytest.mark.parametrize(
    ("code", "status"),
    [("nb-NO", 200), ("iw", 200), ("en_US", 200), ("auto", 200), ("", 200), ("klingon", 422)],
)
def test_language_is_checked_when_the_transcript_is_made(
    client: TestClient, code: str, status: int
) -> None:
    made = client.post("/v1/transcripts", json={"name": "x", "source_language": code})
    assert made.status_code == status


def test_language_of_a_transcript_can_be_changed(client: TestClient) -> None:
    made = client.post("/v1/transcripts", json={"name": "x"}).json()
    path = f"/v1/transcripts/{made['id']}"
    changed = client.patch(path, json={"source_language": "fr", "target_language": "de"}).json()
    assert (changed["source_language"], changed["target_language"]) == ("fr", "de")
    assert client.patch(path, json={"source_language": "klingon"}).status_code == 422


def test_private_answers_stay_in_no_cache(client: TestClient) -> None:
    made = client.post("/v1/transcripts", json={"name": "x"}).json()
    for path in ("/v1/transcripts", f"/v1/transcripts/{made['id']}", "/"):
        assert client.get(path).headers["cache-control"] == "no-store"


def test_data_folder_is_nobody_elses(services: Services) -> None:
    assert services.settings.DATA_DIR.stat().st_mode & 0o077 == 0
