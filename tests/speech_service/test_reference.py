"""The requests that the reference's server makes, and its answers."""

from __future__ import annotations

import socket
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import HELD_OUT, SAMPLE, needs_diarization, reference
from tests.live.client import cut
from tests.media_files import make_file
from tests.pipeline.test_way_of_a_file import normalised
from tests.speech.test_whisper import music, noise, silence, tones
from tests.speech_service.conftest import SpeechServer, speech_server
from tests.speech_service.files import files_at

PATH = "/v1/audio/transcriptions"


def check_words(answer: dict[str, Any], offset: float = 0.0) -> None:
    heard = normalised(answer["text"])
    assert jiwer.wer(normalised(reference(HELD_OUT).text), heard) < 0.15
    assert "".join(word["word"] for word in answer["words"]).strip() == answer["text"]
    for word, after in pairwise(answer["words"]):
        assert offset <= word["start"] <= word["end"] <= after["start"]


def test_one_file(speech: SpeechServer) -> None:
    answer = speech.http.post(
        PATH, files={"file": ("a.FLAC", HELD_OUT.read_bytes())}, data={"language": "en"}
    ).json()
    check_words(answer)
    assert answer["filename"].endswith(".flac")


def test_several_files(speech: SpeechServer) -> None:
    files = [("files", (name, HELD_OUT.read_bytes())) for name in ("a.flac", "b.flac")]
    form = {"language": "en", "batch": "true", "model": "m"}
    answer = speech.http.post(PATH, files=files, data=form).json()
    assert len(answer["results"]) == 2
    for result in answer["results"]:
        check_words(result)


@pytest.mark.parametrize(
    ("files", "data", "sentence"),
    [
        ({}, {"language": "en"}, "Either 'file' or 'files' parameter is required"),
        ({"file": ("a", b"x")}, {"batch": "true"}, "Batch transcription requires 'files'"),
        ({"file": ("a", b"")}, {}, "File is empty"),
    ],
)
def test_form_that_cannot_be_used(
    speech: SpeechServer, files: dict[str, Any], data: dict[str, str], sentence: str
) -> None:
    answer = speech.http.post(PATH, files=files or {"x": ("x", b"")}, data=data)
    assert (answer.status_code, answer.json()["detail"]) == (400, sentence)


def test_recording_at_an_address(speech: SpeechServer) -> None:
    with files_at({"/a": "/b", "/b": HELD_OUT.read_bytes()}) as url:
        answer = speech.http.post(
            f"{PATH}-from-url",
            json={"audio_file_url": f"{url}/a", "timestamp_offset": 100.0, "batch": True},
        ).json()
    check_words(answer, 100.0)


@needs_diarization
def test_who_speaks_when(speech: SpeechServer) -> None:
    with files_at({"/a": SAMPLE.read_bytes()}) as url:
        query = {"audio_file_url": f"{url}/a", "timestamp": "10"}
        fetched = speech.http.post("/diarize", params=query).json()["diarization"]
    sent = speech.http.post("/diarize", files={"file": ("a", SAMPLE.read_bytes())}).json()
    assert {turn["speaker"] for turn in fetched} == {0, 1, 2}
    assert [round(turn["start"] - 10, 3) for turn in fetched] == [
        turn["start"] for turn in sent["diarization"]
    ]
    assert sent["report"]["device"] == "cpu"


@needs_diarization
def test_number_of_speakers_can_be_said(speech: SpeechServer) -> None:
    answer = speech.http.post(
        "/diarize?max_speakers=2", files={"file": ("a", SAMPLE.read_bytes())}
    ).json()
    assert {turn["speaker"] for turn in answer["diarization"]} == {0, 1}


@needs_diarization
def test_voices_of_the_same_speakers_are_alike_and_of_others_not(speech: SpeechServer) -> None:
    files = {"file": ("a", SAMPLE.read_bytes())}
    first = speech.http.post("/diarize?voices=true", files=files).json()
    again = speech.http.post("/diarize?voices=true", files=files).json()["voices"]
    assert "voices" not in speech.http.post("/diarize", files=files).json()
    vectors = np.array([voice["embedding"] for voice in first["voices"]])
    assert [voice["speaker"] for voice in first["voices"]] == [0, 1, 2]
    assert {voice["model"] for voice in first["voices"]} == {first["report"]["model"]}
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    alike = vectors @ np.array([voice["embedding"] for voice in again]).T
    assert np.diag(alike) == pytest.approx(1.0, abs=1e-3)
    assert np.max(alike - np.eye(3) * 2) < 0.9


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.org/a.wav", "Recordings are not fetched from example.org"),
        ("http://169.254.169.254/latest/meta-data", "not fetched from 169.254.169.254"),
        ("http://localhost.example.org/", "not fetched from localhost.example.org"),
        ("http://127.0.0.1@example.org/a", "not fetched from example.org"),
        ("http://2130706433/a", "not fetched from 2130706433"),
        ("http://[::ffff:8.8.8.8]/a", "not fetched from ::ffff:8.8.8.8"),
        ("file:///etc/passwd", "has to begin with http"),
        ("ftp://127.0.0.1/a", "has to begin with http"),
        ("http://[/a", "is no URL"),
        ("nonsense", "has to begin with http"),
    ],
)
def test_hostile_address_is_refused(speech: SpeechServer, url: str, sentence: str) -> None:
    body = {"audio_file_url": url}
    for answer in (
        speech.http.post(f"{PATH}-from-url", json=body),
        speech.http.post("/diarize", params=body),
    ):
        assert answer.status_code == 400
        assert sentence in answer.json()["detail"]


def test_redirect_to_elsewhere_is_not_followed(speech: SpeechServer) -> None:
    with files_at({"/a": "http://example.org/secret", "/loop": "/loop"}) as url:
        path = f"{PATH}-from-url"
        elsewhere = speech.http.post(path, json={"audio_file_url": f"{url}/a"})
        forever = speech.http.post(path, json={"audio_file_url": f"{url}/loop"})
        missing = speech.http.post(path, json={"audio_file_url": f"{url}/missing"})
    assert (elsewhere.status_code, forever.status_code) == (400, 400)
    assert "example.org" in elsewhere.json()["detail"]
    assert "too many redirects" in forever.json()["detail"]
    assert (missing.status_code, missing.json()["detail"]) == (404, "Audio file not found")


def test_recording_that_is_too_large_or_never_comes(tmp_path: Path) -> None:
    with (
        speech_server(tmp_path, MAX_UPLOAD_BYTES="1000") as server,
        files_at({"/a": bytes(2 << 20)}) as url,
    ):
        large = server.http.post(f"{PATH}-from-url", json={"audio_file_url": f"{url}/a"})
        nobody = server.http.post(
            f"{PATH}-from-url", json={"audio_file_url": "http://127.0.0.1:1/a"}
        )
        sent = server.http.post(PATH, files={"file": ("a.wav", bytes(2 << 20))})
    assert (sent.status_code, "The request is larger than" in sent.json()["detail"]) == (413, True)
    assert (large.status_code, "larger than" in large.json()["detail"]) == (413, True)
    assert (nobody.status_code, "cannot be fetched" in nobody.json()["detail"]) == (503, True)
    assert nobody.headers["retry-after"]


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate_is_taken(
    speech: SpeechServer, tmp_path: Path, rate: int, channels: int
) -> None:
    file = make_file(tmp_path / "a.wav", 1.0, rate, channels)
    answer = speech.http.post(PATH, files={"file": ("a.wav", file.read_bytes())})
    assert answer.status_code == 200
    assert answer.json()["report"]["audio_seconds"] == pytest.approx(1.0, abs=0.01)
    assert answer.json()["words"] == []


def test_six_channels_are_heard_as_one(speech: SpeechServer, tmp_path: Path) -> None:
    once = cut(HELD_OUT, 0.0, reference(HELD_OUT).duration, tmp_path / "once.wav")
    with wave.open(str(once)) as file:
        mono = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    with wave.open(str(tmp_path / "six.wav"), "wb") as file:
        file.setparams((6, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.repeat(mono, 6).tobytes())
    content = (tmp_path / "six.wav").read_bytes()
    check_words(speech.http.post(PATH, files={"file": ("a.wav", content)}).json())


@pytest.mark.parametrize("sound", [silence, noise, tones, music], ids=lambda f: f.__name__)
def test_ten_minutes_without_speech_have_no_words(
    speech: SpeechServer, tmp_path: Path, sound: Callable[[float], NDArray[np.floating]]
) -> None:
    samples = (np.clip(sound(600.0), -1, 1) * 32767).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    content = (tmp_path / "a.wav").read_bytes()
    answer = speech.http.post(PATH, files={"file": ("a.wav", content)}).json()
    assert answer["words"] == []
    assert answer["report"]["audio_seconds"] == 600.0


def test_a_tenth_of_a_second_has_no_words_and_nothing_is_no_recording(
    speech: SpeechServer, tmp_path: Path
) -> None:
    short = make_file(tmp_path / "a.wav", 0.1).read_bytes()
    answer = speech.http.post(PATH, files={"file": ("a.wav", short)})
    assert (answer.status_code, answer.json()["words"]) == (200, [])
    with wave.open(str(tmp_path / "b.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    empty = (tmp_path / "b.wav").read_bytes()
    assert speech.http.post(PATH, files={"file": ("b.wav", empty)}).status_code == 400


@needs_diarization
def test_turns_of_all_who_speak_at_a_time_on_request(speech: SpeechServer) -> None:
    """The tests' diarizer hears one speaker at a time, so both are the same there."""
    files = {"file": ("a", SAMPLE.read_bytes())}
    one = speech.http.post("/diarize", files=files).json()["diarization"]
    everyone = speech.http.post("/diarize?overlap=true", files=files).json()["diarization"]
    seconds = [sum(turn["end"] - turn["start"] for turn in turns) for turns in (one, everyone)]
    assert seconds[1] >= seconds[0] > 60


def test_request_without_the_key_is_refused_before_its_body(speech: SpeechServer) -> None:
    """Bodies of gigabytes were read into memory first."""
    host, port = speech.url.removeprefix("http://").split(":")
    head = (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(head.encode())
        with connection.makefile("rb") as stream:
            answer = stream.read().decode()
    assert answer.startswith("HTTP/1.1 401")
    assert "Invalid API key" in answer


def test_more_speakers_at_least_than_at_most_is_refused(speech: SpeechServer) -> None:
    query = {"min_speakers": "4", "max_speakers": "2"}
    with HELD_OUT.open("rb") as file:
        answer = speech.http.post("/diarize", params=query, files={"file": file})
    assert answer.status_code == 400
    assert "min_speakers" in answer.json()["detail"]
