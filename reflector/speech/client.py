"""Call a speech service in another process or on another machine, over HTTP.

Our own service takes a recording as a job. Its name is made of the sound and the options, so a
worker finds it again after any interruption. The reference's service has no jobs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import httpx2
from pydantic import SecretStr

from reflector.errors import EngineError, Unavailable
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.speech.engines import Progress

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
HEALTH_SECONDS = 15.0
# The service sends something at least every 15 seconds
SILENCE_SECONDS = 60.0
AWAY_SECONDS = 30.0
PAUSE_SECONDS = 1.0
NO_JOBS = {404, 405}


@dataclass(frozen=True)
class SpeechService:
    """The address of a speech service, and its key."""

    url: str
    key: SecretStr | None

    def client(self, read_seconds: float = SILENCE_SECONDS) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {}
        timeout = httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS)
        return httpx2.Client(base_url=self.url.rstrip("/"), headers=headers, timeout=timeout)

    def away(self, error: Exception) -> Unavailable:
        return Unavailable(f"The speech service at {self.url} does not answer: {error}")

    def identities(self) -> dict[str, str | None]:
        """Return the identities of the service's engines, by kind.

        They are empty for the reference's service, which does not report them. Raises Unavailable
        while the service does not answer or has not loaded its models.
        """
        try:
            with self.client(HEALTH_SECONDS) as client:
                answer = client.get("/health")
        except httpx2.TransportError as error:
            raise self.away(error) from error
        if answer.status_code == 404:
            return {}
        try:
            body = answer.json()
            if not body.get("loaded", True):
                raise Unavailable(f"The speech service at {self.url} is still loading its models.")
            return dict(body.get("identities") or {})
        except (ValueError, AttributeError) as error:
            raise self.away(error) from error

    def job(
        self, audio: PcmAudio, form: dict[str, str], identity: str, progress: Progress
    ) -> Any | None:
        """Return the result of a job with `form`; None if the service has no jobs.

        `identity` is that of the expected engine; another engine's job has another name. Raises
        EngineError if the job failed, and Unavailable if the service was away for half a minute.
        """
        path = f"/v1/jobs/{_name(audio, form, identity)}"
        seen = _Seen(progress)
        deadline = time.monotonic() + AWAY_SECONDS
        with self.client() as client:
            while True:
                try:
                    if not _accepted(client, path, audio, form):
                        return None
                    for kind, data in _events(client, path):
                        deadline = time.monotonic() + AWAY_SECONDS
                        seen.note(data.get("seconds") if kind == "progress" else None)
                        if kind == "ended":
                            return _result(client, path, data)
                except (httpx2.TransportError, Unavailable) as error:
                    if time.monotonic() > deadline:
                        raise self.away(error) from error
                seen.note(None)
                time.sleep(PAUSE_SECONDS)


class _Seen:
    """Pass progress on, and repeat it while nothing new comes, to keep the step's lease."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._seconds = progress, 0.0

    def note(self, seconds: float | None) -> None:
        self._seconds = max(self._seconds, seconds or 0.0)
        self._progress(self._seconds)


def _name(audio: PcmAudio, form: dict[str, str], identity: str) -> str:
    with audio.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(json.dumps([form, identity], sort_keys=True).encode())
    return digest.hexdigest()[:48]


def _accepted(client: httpx2.Client, path: str, audio: PcmAudio, form: dict[str, str]) -> bool:
    """Return whether the service has accepted the job; False if it has no jobs."""
    known = client.get(path)
    if known.status_code == 200:
        return True
    if known.status_code != 404:
        raise_for(known)
    with wav_file(audio) as file:
        answer = client.put(path, data=form, files={"file": ("audio.wav", file, "audio/wav")})
    if answer.status_code in NO_JOBS:
        return False
    raise_for(answer)
    return True


def _events(client: httpx2.Client, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names and data of the job's events; `("", {})` for a heartbeat."""
    with client.stream("GET", f"{path}/events") as answer:
        if answer.status_code != 200:
            answer.read()
            raise_for(answer)
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))
            elif line.startswith(":"):
                yield "", {}


def _result(client: httpx2.Client, path: str, job: dict[str, Any]) -> Any:
    try:
        client.delete(path)
    except httpx2.HTTPError as error:
        log.warning("a finished job was not removed, it goes by itself: %s", error)
    if job["error"]:
        raise EngineError(f"The speech service: {job['error']}")
    return job["result"]


def raise_for(answer: httpx2.Response) -> None:
    """Raise Unavailable if the service may accept a retry, EngineError for other errors."""
    if answer.status_code < 400:
        return
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.reason_phrase
    sentence = f"The speech service answers {answer.status_code}: {detail}"
    if answer.status_code in {429, 502, 503, 504}:
        raise Unavailable(sentence)
    raise EngineError(sentence)


def wav_file(audio: PcmAudio) -> BinaryIO:
    """Return decoded sound as a WAV file to read, without writing one."""
    return cast(BinaryIO, BufferedReader(_WavFile(audio.path), 1 << 20))


class _WavFile(RawIOBase):
    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        self._header = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1,
            SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16, b"data", size,
        )  # fmt: skip
        self._size = len(self._header) + size
        self._position = 0
        self._file = path.open("rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._position, 2: self._size}[whence]
        self._position = base + offset
        self._file.seek(max(0, self._position - len(self._header)))
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position < len(self._header):
            piece = self._header[self._position : self._position + len(buffer)]
        else:
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()
