"""A real `reflector serve` process on a free port, ended by its process id."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2

from tests.environment import inherited
from tests.waiting import PATIENCE, wait_until

FIXTURES = Path(__file__).parent / "fixtures"
# Where speakers do not matter: importing pyannote.audio alone takes some ten seconds
WITHOUT_SPEAKERS = {"DIARIZATION_ENABLED": "false"}
ADDRESS = re.compile(r"http://\S+?(?=/ )")


class Server:
    def __init__(self, data: Path, port: int = 0, /, **environment: str) -> None:
        self.data = data
        self.log = data / "server.log"
        program = environment.pop("PROGRAM", "reflector")
        kept = inherited()
        settings = {
            "DATA_DIR": str(data),
            "WHISPER_MODEL": str(FIXTURES / "models" / "whisper"),
            "DIARIZATION_MODEL": str(FIXTURES / "models" / "diarizer"),
            "DIARIZATION_ENABLED": str(find_spec("pyannote") is not None),
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(FIXTURES.parent.parent),
            **environment,
        }
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", program, "serve", "--port", str(port)],
                stdout=subprocess.PIPE, stderr=log, text=True, cwd=data, env={**kept, **settings},
                start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = ADDRESS.search(line)
        if found is None:
            self.process.wait()
            self.process.stdout.close()
            raise AssertionError(f"the server did not start: {line}{self.log.read_text()}")
        self.url = found[0]
        # uvicorn closes idle connections after 5 s; whoever reuses one just then is cut off
        limits = httpx2.Limits(keepalive_expiry=2)
        self.http = httpx2.Client(base_url=self.url, timeout=60, limits=limits)

    def kill(self) -> None:
        """With the processes that it has started, as systemd does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._gone()

    def stop(self) -> int:
        self.process.terminate()
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.http.close()
        return code

    def create(self, **values: Any) -> str:
        body = {"name": "meeting", "source_kind": "file", "source_language": "en", **values}
        response = self.http.post("/v1/transcripts", json=body)
        response.raise_for_status()
        return str(response.json()["id"])

    def send_chunk(
        self,
        transcript_id: str,
        content: bytes,
        number: int = 0,
        total: int = 1,
        name: str = "a.flac",
    ) -> httpx2.Response:
        return self.http.post(
            f"/v1/transcripts/{transcript_id}/record/upload",
            params={"chunk_number": number, "total_chunks": total},
            files={"chunk": (name, content)},
        )

    def upload(self, recording: Path, **values: Any) -> str:
        transcript_id = self.create(**values)
        self.send_chunk(
            transcript_id, recording.read_bytes(), name=recording.name
        ).raise_for_status()
        return transcript_id

    def get(self, path: str, **query: Any) -> Any:
        response = self.http.get(path, params=query)
        response.raise_for_status()
        return response.json()

    def run(self, transcript_id: str) -> Any:
        return self.get(f"/v1/transcripts/{transcript_id}/run")

    def steps(self, transcript_id: str) -> dict[str, Any]:
        return {step["name"]: step for step in self.run(transcript_id)["steps"]}

    def wait_for_status(self, transcript_id: str, status: str, seconds: float = PATIENCE) -> None:
        def reached() -> bool:
            now = self.run(transcript_id)
            if now["status"] == "error" and status != "error":
                raise AssertionError(f"error: {now['error']}\n{self.log.read_text()}")
            return bool(now["status"] == status)

        wait_until(reached, f"status {status}", seconds)


@contextmanager
def running_server(data: Path, port: int = 0, /, **environment: str) -> Iterator[Server]:
    server = Server(data, port, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
