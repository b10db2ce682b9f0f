"""Exports as files, and the zip."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

import docx
import pytest
from fastapi.testclient import TestClient

from reflector.db.models import Participant, Topic, Transcript
from reflector.db.words import store_words
from reflector.services import Services
from reflector.transcript.words import Word
from tests.api.people import make_transcript

ACTIONS = {
    "decisions": [{"decision": "Ship it", "decided_by": "Anna"}],
    "next_steps": [
        {"task": "Write <docs>", "assigned_to": None, "deadline": "Friday", "done": True}
    ],
}


@pytest.fixture
def path(services: Services) -> str:
    transcript_id = make_transcript(
        services, title='Plan: "Q4" – Überblick', long_summary="# Quick recap\n\n- **All** is well",
        action_items=ACTIONS, shown_run=1, duration=3000.0,
    )  # fmt: skip
    with services.db.write() as session:
        words = [
            Word(" Hello", 0.0, 0.5),
            Word(" & <you>.", 0.5, 1.0),
            Word(" Yes.", 62.0, 63.0, 1),
        ]
        store_words(session, transcript_id, 1, words)
        session.add(Participant(transcript_id=transcript_id, name="Anna\x0b", speaker=0))
        session.add(Topic(
            transcript_id=transcript_id, run=1, position=0, title="Greeting", summary="They greet.",
            timestamp=0.0, duration=63.0, first_word=0, last_word=3,
        ))  # fmt: skip
    return f"/v1/transcripts/{transcript_id}"


def test_text_formats(client: TestClient, path: str) -> None:
    srt = client.get(f"{path}/export/srt")
    assert srt.text.startswith("1\n00:00:00,000 --> 00:00:01,000\nAnna")
    assert "2\n00:01:02,000 --> 00:01:03,000\nSpeaker 2: Yes." in srt.text
    assert client.get(f"{path}/export/txt").text.split("\n")[1] == "[01:02] Speaker 2: Yes."
    assert client.get(f"{path}/export/vtt").text.startswith("WEBVTT\n\n00:00:00.000")
    markdown = client.get(f"{path}/export/md").text
    for line in ('# Plan: "Q4" – Überblick', "## Quick recap", "- Ship it (Anna)", "## Transcript",
                 "- [00:00] **Greeting** – They greet."):  # fmt: skip
        assert line in markdown.splitlines()


def test_times_and_names_are_left_out(client: TestClient, path: str) -> None:
    def export(format: str, **options: bool) -> str:
        return client.get(f"{path}/export/{format}", params=options).text

    assert export("txt", times=False).split("\n")[1] == "Speaker 2: Yes."
    assert export("txt", names=False).split("\n")[1] == "[01:02] Yes."
    assert export("txt", times=False, names=False).split("\n")[1] == "Yes."
    assert "\n**Speaker 2** Yes.\n" in export("md", times=False)
    assert "\nYes.\n" in export("md", times=False, names=False)
    assert "Speaker" not in export("srt", names=False)
    assert "<v" not in export("vtt", names=False)
    content = client.get(f"{path}/export/docx?times=false&names=false").content
    assert docx.Document(BytesIO(content)).paragraphs[-1].text == "Yes."


def test_word_document_opens_and_holds_everything(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}/export/docx")
    text = [paragraph.text for paragraph in docx.Document(BytesIO(answer.content)).paragraphs]
    assert text[0] == 'Plan: "Q4" – Überblick'
    assert "Write <docs> (Friday, done)" in text
    assert "All is well" in text
    assert "Anna [00:00] Hello & <you>." in text


def test_json_has_words(client: TestClient, path: str) -> None:
    body = client.get(f"{path}/export/json").json()
    assert body["words"][2] == {"text": " Yes.", "start": 62.0, "end": 63.0, "speaker": 1}
    assert body["segments"][1]["speaker_name"] == "Speaker 2"
    assert body["action_items"] == ACTIONS
    assert body["duration"] == 3.0


def test_file_name_is_the_title_for_old_and_new_programs(client: TestClient, path: str) -> None:
    header = client.get(f"{path}/export/srt").headers["content-disposition"]
    assert header == (
        'attachment; filename="Plan Q4  Uberblick.srt"; '
        "filename*=UTF-8''Plan%20Q4%20%20%C3%9Cberblick.srt"
    )


def test_unknown_format_is_422(client: TestClient, path: str) -> None:
    assert client.get(f"{path}/export/exe").status_code == 422


@pytest.mark.parametrize("hidden", [False, True])
def test_zip_holds_the_sound_unless_it_must_not(
    client: TestClient, services: Services, path: str, tmp_path: Path, hidden: bool
) -> None:
    transcript_id = path.rpartition("/")[2]
    (tmp_path / "a").write_bytes(b"sound" * 1_000_000)
    services.storage.adopt(tmp_path / "a", f"{transcript_id}/audio.mp3")
    with services.db.write() as session:
        session.get_one(Transcript, transcript_id).audio_deleted = hidden
    answer = client.get(f"{path}/download/zip")
    assert answer.headers["content-disposition"].endswith(f"transcript_{transcript_id[:8]}.zip")
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        metadata = json.loads(archive.read("metadata.json"))
        if not hidden:
            assert archive.read("audio.mp3") == b"sound" * 1_000_000
    assert ("audio.mp3" in names) is not hidden
    assert {"metadata.json", "transcript.srt", "transcript.docx"} <= names
    assert metadata["webvtt"].startswith("WEBVTT")
    assert metadata["topics"][0]["words"][0]["text"] == " Hello"


def test_long_title_breaks_no_export(client: TestClient, services: Services, path: str) -> None:
    assert client.patch(path, json={"title": "Überblick " * 60}).status_code == 200
    assert client.get(f"{path}/export/docx").status_code == 200
    assert client.get(f"{path}/download/zip").status_code == 200


def test_subtitles_are_cut_to_what_can_be_read(
    client: TestClient, services: Services, path: str
) -> None:
    words = [Word(f" word{n}", 0.3 * n, 0.3 * n + 0.25) for n in range(400)]
    with services.db.write() as session:
        store_words(session, path.rpartition("/")[2], 1, words)
    cues = client.get(f"{path}/export/srt").text.strip().split("\n\n")
    assert len(cues) > 30
    assert max(len(cue.split("\n", 2)[2]) for cue in cues) <= 100
