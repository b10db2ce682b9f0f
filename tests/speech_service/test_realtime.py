"""OpenAI's realtime transcription, with OpenAI's own client."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import jiwer
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import HELD_OUT, reference
from tests.pipeline.test_way_of_a_file import normalised
from tests.speech_service.conftest import KEY, SpeechServer, speech_server

# openai 3 opens its connection in a way that websockets 17 will drop; remove this with its mend
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")
SECONDS = 12.0
WORD_ERRORS = 0.3
TRANSCRIBED = "conversation.item.input_audio_transcription"


def samples(rate: int, codec: str | None = None) -> bytes:
    """The first seconds of a meeting and a pause; 16-bit samples, or as telephones encode them."""
    resampler = av.AudioResampler("s16", "mono", rate)
    with av.open(str(HELD_OUT)) as container:
        parts = [
            part.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    sound = np.concatenate(parts)[: int(SECONDS * rate)]
    whole = np.concatenate([sound, np.zeros(2 * rate, np.int16)])
    if codec is None:
        return whole.tobytes()
    context: Any = av.CodecContext.create(codec, "w")
    context.sample_rate, context.layout, context.format = rate, "mono", "s16"
    frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
    frame.sample_rate = rate
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def pieces(data: bytes, size: int = 9600) -> Iterator[str]:
    for start in range(0, len(data), size):
        yield base64.b64encode(data[start : start + size]).decode()


def said() -> str:
    return " ".join(word[0] for word in reference(HELD_OUT).words if word[2] <= SECONDS)


@contextmanager
def session(server: SpeechServer, **asked: Any) -> Iterator[Any]:
    query = {"intent": "transcription"}
    with server.client.realtime.connect(model="whisper-1", extra_query=query) as connection:
        assert connection.recv().type == "session.created"
        wanted: Any = {"type": "transcription", "audio": {"input": asked}}
        connection.session.update(session=wanted)
        assert connection.recv().type == "session.updated"
        yield connection


def events_until(connection: Any, kind: str) -> list[Any]:
    found: list[Any] = []
    while not found or found[-1].type != kind:
        found.append(connection.recv())
        assert found[-1].type != "error", found[-1]
    return found


@pytest.mark.parametrize(
    ("wanted", "rate", "codec"),
    [
        ({"type": "audio/pcm", "rate": 24_000}, 24_000, None),
        ({"type": "audio/pcm", "rate": 16_000}, 16_000, None),
    ],
)
def test_words_come_as_deltas_and_as_turns(
    speech: SpeechServer, wanted: dict[str, Any], rate: int, codec: str | None
) -> None:
    with session(speech, format=wanted, transcription={"language": "en"}) as connection:
        for piece in pieces(samples(rate, codec)):
            connection.input_audio_buffer.append(audio=piece)
        deltas: dict[str, str] = {}
        completed: dict[str, str] = {}
        heard = 0
        while heard < (SECONDS - 3.0) * 1000:
            event = connection.recv()
            if event.type == f"{TRANSCRIBED}.delta":
                deltas[event.item_id] = deltas.get(event.item_id, "") + event.delta
            elif event.type == f"{TRANSCRIBED}.completed":
                completed[event.item_id] = event.transcript
            elif event.type == "input_audio_buffer.speech_stopped":
                heard = event.audio_end_ms
            assert event.type != "error", event
        connection.input_audio_buffer.commit()
        for event in events_until(connection, f"{TRANSCRIBED}.completed"):
            if event.type == f"{TRANSCRIBED}.completed":
                completed[event.item_id] = event.transcript
    assert all(
        completed[item].strip() == text.strip()
        for item, text in deltas.items()
        if item in completed
    )
    text = " ".join(completed.values())
    assert jiwer.wer(normalised(said()), normalised(text)) < WORD_ERRORS, text


def test_client_that_detects_turns_itself_gets_them_at_its_commit(speech: SpeechServer) -> None:
    with session(speech, transcription={"language": "en"}, turn_detection=None) as connection:
        for piece in pieces(samples(24_000)):
            connection.input_audio_buffer.append(audio=piece)
        connection.input_audio_buffer.commit()
        events = events_until(connection, f"{TRANSCRIBED}.completed")
        kinds = [event.type for event in events]
        assert kinds.count("input_audio_buffer.committed") == 1
        assert jiwer.wer(normalised(said()), normalised(events[-1].transcript)) < WORD_ERRORS
        assert events[-1].usage.seconds == pytest.approx(SECONDS + 2.0, abs=0.2)


def test_first_version_of_the_protocol_and_telephone_sound_are_understood(
    speech: SpeechServer,
) -> None:
    with raw(speech) as socket:
        assert json.loads(socket.recv())["type"] == "session.created"
        wanted = {
            "input_audio_format": "g711_ulaw",
            "input_audio_transcription": {"language": "en", "model": "whisper-1"},
            "turn_detection": None,
        }
        put(socket, type="transcription_session.update", session=wanted)
        assert json.loads(socket.recv())["type"] == "transcription_session.updated"
        for piece in pieces(samples(8000, "pcm_mulaw")):
            put(socket, type="input_audio_buffer.append", audio=piece)
        put(socket, type="input_audio_buffer.commit")
        while (event := json.loads(socket.recv(timeout=60)))["type"] != f"{TRANSCRIBED}.completed":
            assert event["type"] != "error", event
        # A telephone leaves out much of what the tiny model knows
        assert len(event["transcript"].split()) > 5


@contextmanager
def raw(server: SpeechServer, key: str = KEY) -> Iterator[Any]:
    address = f"{server.url.replace('http', 'ws', 1)}/v1/realtime?intent=transcription"
    with connect(address, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        yield socket


def put(socket: Any, **event: Any) -> None:
    socket.send(json.dumps(event))


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"type": "dance"}, "does not know the event dance"),
        ([], "does not know the event None"),
        (None, "does not know the event None"),
        ({"type": "input_audio_buffer.append", "audio": "§"}, "base64"),
        ({"type": "input_audio_buffer.append"}, "base64"),
        ({"type": "input_audio_buffer.commit"}, "no sound to commit"),
        ({"type": "session.update"}, "has to be an object"),
        ({"type": "session.update", "session": {"type": "realtime"}}, "only transcribes"),
        (
            {"type": "session.update", "session": {"audio": {"input": {"format": {"type": "audio/mp3"}}}}},
            "format has to be",
        ),
        (
            {
                "type": "session.update",
                "session": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 0}},
            },
            "silence_duration_ms",
        ),
    ],
)  # fmt: skip
def test_wrong_event_is_an_error_and_the_session_goes_on(
    speech: SpeechServer, event: Any, sentence: str
) -> None:
    with raw(speech) as socket:
        socket.recv()
        socket.send(json.dumps(event))
        answer = json.loads(socket.recv(timeout=60))
        assert answer["type"] == "error"
        assert sentence in answer["error"]["message"]
        put(socket, type="input_audio_buffer.clear")
        assert json.loads(socket.recv(timeout=60))["type"] == "input_audio_buffer.cleared"


def test_text_that_is_no_json_is_an_error(speech: SpeechServer) -> None:
    with raw(speech) as socket:
        socket.recv()
        socket.send("{")
        assert json.loads(socket.recv(timeout=60))["type"] == "error"


def test_session_without_the_key_is_refused(speech: SpeechServer) -> None:
    with pytest.raises(InvalidStatus) as refused, raw(speech, "wrong"):
        pass
    assert refused.value.response.status_code == 401


def test_session_beyond_the_limit_is_told_that_it_is_full(tmp_path: Path) -> None:
    with speech_server(tmp_path, MAX_LIVE_RECORDINGS="1") as server:
        server.wait_until_loaded()
        with raw(server) as first:
            first.recv()
            with raw(server) as second:
                answer = json.loads(second.recv())
                assert answer["error"]["code"] == "rate_limit_exceeded"
        with raw(server) as third:
            assert json.loads(third.recv())["type"] == "session.created"


def test_browsers_send_the_key_as_a_protocol(tmp_path: Path) -> None:
    with speech_server(tmp_path, REFLECTOR_GPU_APIKEY="key") as server:
        address = f"{server.url.replace('http', 'ws', 1)}/v1/realtime"
        protocols: Any = ["realtime", "openai-insecure-api-key.key"]
        with connect(address, subprotocols=protocols) as socket:
            assert json.loads(socket.recv())["type"] == "session.created"
            assert socket.subprotocol == "realtime"
