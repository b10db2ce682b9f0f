"""OpenAI's own client against our service: every format, streams, errors."""

from __future__ import annotations

import re
from typing import Any

import jiwer
import openai
import pytest

from tests.conftest import HELD_OUT, SAMPLE, needs_diarization, reference
from tests.pipeline.test_way_of_a_file import normalised
from tests.speech_service.conftest import SpeechServer


def transcribe(speech: SpeechServer, **options: Any) -> Any:
    with HELD_OUT.open("rb") as file:
        return speech.client.audio.transcriptions.create(
            model="whisper-1", file=file, language="en", **options
        )


def word_errors(text: str) -> float:
    return float(jiwer.wer(normalised(reference(HELD_OUT).text), normalised(text)))


def test_plain_request_has_the_text(speech: SpeechServer) -> None:
    assert word_errors(transcribe(speech).text) < 0.15


def test_json_says_what_did_the_work(speech: SpeechServer) -> None:
    result = transcribe(speech, response_format="json")
    assert word_errors(result.text) < 0.15
    report = result.model_extra["report"]
    assert report["device"] == "cpu"
    assert report["precision"] == "int8"
    assert report["audio_seconds"] == pytest.approx(reference(HELD_OUT).duration, abs=0.1)
    assert 0 < report["speech_seconds"] <= report["audio_seconds"]
    assert report["real_time_factor"] > 0
    assert report["warnings"] == []


def test_text_is_nothing_but_text(speech: SpeechServer) -> None:
    text = transcribe(speech, response_format="text")
    assert word_errors(text) < 0.15
    assert "{" not in text


def test_verbose_json_has_segments_and_words_that_fit(speech: SpeechServer) -> None:
    result = transcribe(
        speech, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    duration = reference(HELD_OUT).duration
    assert result.language == "en"
    assert result.duration == pytest.approx(duration, abs=0.1)
    assert " ".join(word.word for word in result.words) == result.text
    assert "".join(segment.text for segment in result.segments).strip() == result.text
    last = 0.0
    for segment in result.segments:
        assert last <= segment.start <= segment.end <= duration
        assert segment.avg_logprob < 0
        assert segment.tokens
        last = segment.start


def test_language_can_be_detected_in_each_window(speech: SpeechServer) -> None:
    """The tiny model knows one: nothing changes. With another nobody has tried it here."""
    result = transcribe(speech, extra_body={"multilingual": "true"})
    assert word_errors(result.text) < 0.15


def test_words_come_only_where_they_are_asked_for(speech: SpeechServer) -> None:
    assert transcribe(speech, response_format="verbose_json").words is None


@pytest.mark.parametrize(
    ("format_", "start", "arrow"),
    [("srt", "1\n00:00:0", r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n"),
     ("vtt", "WEBVTT\n\n00:00:0", r"\d\d:\d\d:\d\d\.\d{3} --> \d\d:\d\d:\d\d\.\d{3}\n")],
)  # fmt: skip
def test_subtitles(speech: SpeechServer, format_: str, start: str, arrow: str) -> None:
    text = transcribe(speech, response_format=format_)
    assert text.startswith(start)
    cues = re.split(arrow, text)[1:]
    spoken = " ".join(re.sub(r"\n\d*\n*$", "", cue) for cue in cues)
    assert word_errors(spoken) < 0.15


@needs_diarization
def test_diarized_json_names_speakers_by_letters(speech: SpeechServer) -> None:
    with SAMPLE.open("rb") as file:
        result: Any = speech.client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize", file=file, response_format="diarized_json"
        )
    assert {segment.speaker for segment in result.segments} == {"A", "B", "C"}
    assert result.segments[0].speaker == "A"


def test_stream_is_the_text_in_pieces(speech: SpeechServer) -> None:
    events = list(transcribe(speech, stream=True))
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) > 1
    assert events[-1].type == "transcript.text.done"
    assert "".join(deltas).strip() == events[-1].text
    assert word_errors(events[-1].text) < 0.15


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_translation_is_a_task_of_the_same_model(speech: SpeechServer) -> None:
    """The tiny model knows English only: what is English stays as it is."""
    with HELD_OUT.open("rb") as file:
        result = speech.client.audio.translations.create(model="whisper-1", file=file)
    assert result.text


def test_models_are_listed(speech: SpeechServer) -> None:
    names = [model.id for model in speech.client.models.list()]
    assert names[0] == "whisper"
    assert speech.client.models.retrieve("whisper").owned_by == "reflector"
    with pytest.raises(openai.NotFoundError, match="not served here"):
        speech.client.models.retrieve("gpt-9")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"response_format": "yaml"}, "response_format cannot be yaml"),
        ({"temperature": 3}, "temperature has to be"),
        ({"timestamp_granularities": ["page"]}, "timestamp_granularities cannot be page"),
        ({"extra_body": {"priority": "vip"}}, "priority has to be"),
        ({"extra_body": {"multilingual": "maybe"}}, "multilingual has to be true or false"),
    ],
)
def test_wrong_field_is_a_sentence(
    speech: SpeechServer, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=sentence) as refused:
        transcribe(speech, **options)
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_file_that_is_no_recording_is_a_400(speech: SpeechServer, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError, match="cannot be read as audio"):
        speech.client.audio.transcriptions.create(
            model="m", file=("a.wav", b"RIFF nonsense"), response_format="json", stream=stream
        )


@pytest.mark.parametrize("key", ["wrong", "ключ"])
def test_wrong_key_is_a_401_in_both_shapes(speech: SpeechServer, key: str) -> None:
    headers = {b"Authorization": f"Bearer {key}".encode()}
    answer = speech.http.get("/v1/models", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["detail"] == answer.json()["error"]["message"] == "Invalid API key"
