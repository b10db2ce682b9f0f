"""A real `reflector speech` process with the tiny models, and OpenAI's own client for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import openai
import pytest

from tests.conftest import DIARIZER, FIXTURES, HAS_DIARIZATION, WHISPER
from tests.environment import inherited
from tests.waiting import wait_until

KEY = "key of the tests"


class SpeechServer:
    def __init__(self, data: Path, port: str = "0", **environment: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self.data, self.log = data, data / "speech.log"
        kept = inherited()
        settings = {
            "DATA_DIR": str(data),
            "WHISPER_MODEL": str(WHISPER),
            "DIARIZATION_MODEL": str(DIARIZER),
            "DIARIZATION_ENABLED": str(HAS_DIARIZATION),
            "REFLECTOR_GPU_APIKEY": KEY,
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(FIXTURES.parent.parent),
            **environment,
        }
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reflector", "speech", "--port", port],
                stdout=subprocess.PIPE, stderr=log, text=True, cwd=data, env={**kept, **settings},
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+(?=/)", line)
        assert found, line + self.log.read_text()
        self.url = found[0]
        headers = {"Authorization": f"Bearer {KEY}"}
        self.http = httpx2.Client(base_url=self.url, timeout=120, headers=headers)
        self.client = openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=KEY, max_retries=0, timeout=120
        )

    def wait_until_loaded(self) -> None:
        wait_until(lambda: self.http.get("/health").json()["loaded"], "the models are loaded")

    def metric(self, name: str) -> float:
        text = self.http.get("/metrics").text
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(line.split()[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        self.http.close()
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def speech_server(data: Path, port: str = "0", **environment: str) -> Iterator[SpeechServer]:
    server = SpeechServer(data, port, **environment)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpeechServer]:
    with speech_server(tmp_path_factory.mktemp("speech")) as server:
        server.wait_until_loaded()
        yield server
