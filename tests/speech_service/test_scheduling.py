"""Several requests at once: live ones first, no more than there is room for, none for nobody."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from tests.conftest import HELD_OUT, SAMPLE, reference
from tests.live.client import cut
from tests.speech_service.conftest import KEY, SpeechServer, speech_server
from tests.waiting import wait_until

PATH = "/v1/audio/transcriptions"
MINUTES = 10


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sample again and again."""
    import wave

    folder = tmp_path_factory.mktemp("long")
    once = cut(SAMPLE, 0.0, reference(SAMPLE).duration, folder / "once.wav")
    with wave.open(str(once)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    with wave.open(str(folder / "long.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(np.resize(samples, MINUTES * 60 * 16_000).tobytes())
    return (folder / "long.wav").read_bytes()


class Sending:
    """A request in a thread, by a client of its own that can go away."""

    def __init__(self, server: SpeechServer, content: bytes, **form: str) -> None:
        self.http = httpx2.Client(
            base_url=server.url, timeout=300, headers={"Authorization": f"Bearer {KEY}"}
        )
        self.answer: httpx2.Response | None = None
        self._form: dict[str, Any] = {"files": {"file": ("a.wav", content)}, "data": form}
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        try:
            self.answer = self.http.post(PATH, **self._form)
        except httpx2.HTTPError:
            return

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def join(self) -> httpx2.Response:
        self._thread.join(300)
        assert self.answer is not None
        self.http.close()
        return self.answer


def at_work(server: SpeechServer) -> float:
    return server.metric("reflector_speech_requests")


def test_live_request_does_not_wait_for_a_long_recording(
    speech: SpeechServer, meeting: bytes
) -> None:
    long = Sending(speech, meeting, language="en")
    wait_until(lambda: at_work(speech) == 1, "the long one is at work", 300)
    live = Sending(speech, HELD_OUT.read_bytes(), language="en", priority="live").join()
    assert live.status_code == 200
    assert not long.is_done
    long.http.close()
    wait_until(lambda: at_work(speech) == 0, "the long one is given up", 300)


def test_client_that_goes_away_stops_its_work(tmp_path: Path, meeting: bytes) -> None:
    with speech_server(tmp_path, SPEECH_REQUESTS="1") as server:
        server.wait_until_loaded()
        with httpx2.Client(base_url=server.url, timeout=httpx2.Timeout(30, read=2.0)) as client:
            with pytest.raises(httpx2.ReadTimeout):
                client.post(
                    PATH,
                    files={"file": ("a.wav", meeting)},
                    headers={"Authorization": f"Bearer {KEY}"},
                )
            assert at_work(server) == 1
        wait_until(lambda: at_work(server) == 0, "its work ends", 300)
        assert server.metric("reflector_speech_cancelled_total") == 1
        assert "Traceback" not in server.log.read_text()
        left = [path.name for path in (server.data / "scratch").iterdir()]
        assert [name for name in left if not name.startswith("torch")] == []  # torch's own


def test_one_too_many_is_told_to_come_again(tmp_path: Path, meeting: bytes) -> None:
    with speech_server(tmp_path, SPEECH_REQUESTS="1") as server:
        server.wait_until_loaded()
        first = Sending(server, meeting, language="en")
        wait_until(lambda: at_work(server) == 1, "the first is at work", 300)
        second = server.http.post(PATH, files={"file": ("a.flac", HELD_OUT.read_bytes())})
        assert second.status_code == 503
        assert second.headers["retry-after"] == "5"
        assert "1 requests are being worked on already" in second.json()["detail"]
        first.http.close()
        wait_until(lambda: at_work(server) == 0, "the first is given up", 300)
        third = server.http.post(PATH, files={"file": ("a.flac", HELD_OUT.read_bytes())})
        assert third.status_code == 200


def test_two_requests_at_once_have_the_words_of_one_alone(speech: SpeechServer) -> None:
    alone = speech.http.post(PATH, files={"file": ("a", SAMPLE.read_bytes())}).json()["words"]
    both = [Sending(speech, SAMPLE.read_bytes()) for _ in range(2)]
    assert [sending.join().json()["words"] for sending in both] == [alone, alone]


def test_client_that_leaves_a_stream_stops_its_work(speech: SpeechServer, meeting: bytes) -> None:
    with speech.http.stream(
        "POST", PATH, files={"file": ("a.wav", meeting)}, data={"language": "en", "stream": "true"}
    ) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()  # its end would close the connection
        assert next(lines).startswith('data: {"type": "transcript.text.delta"')
        assert at_work(speech) == 1
    wait_until(lambda: at_work(speech) == 0, "its work ends", 300)
    after = speech.http.post(PATH, files={"file": ("a.flac", HELD_OUT.read_bytes())})
    assert after.status_code == 200


def test_service_ends_in_time_while_a_request_waits(tmp_path: Path, meeting: bytes) -> None:
    """Before its unit's TimeoutStopSec: a request that takes minutes is not waited for."""
    with speech_server(tmp_path) as service:
        service.wait_until_loaded()
        sending = Sending(service, meeting)
        wait_until(lambda: at_work(service) == 1, "the request is at work", 300)
        service.process.terminate()
        assert service.process.wait(45) in {0, -signal.SIGTERM}
        sending.http.close()
