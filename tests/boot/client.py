"""A client of the appliance, over TLS with its own authority."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx2

from tests.conftest import SAMPLE
from tests.waiting import wait_until


class Client:
    def __init__(self, url: str, authority: Path, timeout: float = 60) -> None:
        self.url = url
        self.context = ssl.create_default_context(cafile=str(authority))
        self.http = httpx2.Client(base_url=url, verify=self.context, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def log_in(self, email: str, password: str) -> None:
        answer = self.http.post("/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        self.token = str(answer.json()["access_token"])
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def upload(self, file: Path = SAMPLE, name: str = "Sample") -> str:
        body = {"name": name, "source_kind": "file", "source_language": "en"}
        made = self.http.post("/v1/transcripts", json=body)
        assert made.status_code == 200, made.text
        found = str(made.json()["id"])
        sent = self.http.post(
            f"/v1/transcripts/{found}/record/upload",
            params={"chunk_number": 0, "total_chunks": 1},
            files={"chunk": (file.name, file.read_bytes())},
        )
        assert sent.status_code == 200, sent.text
        return found

    def status(self, transcript: str) -> str:
        return str(self.get(f"/v1/transcripts/{transcript}")["status"])

    def wait_for(self, transcript: str, seconds: float = 600, every: float = 0.5) -> dict[str, Any]:
        """The transcript when it has ended, one way or the other; asked for each `every` seconds."""

        def ended() -> dict[str, Any] | None:
            return self._ended(transcript)

        return dict(wait_until(ended, f"the end of {transcript}", seconds, every=every))

    def words(self, transcript: str) -> str:
        text = str(
            self.get(f"/v1/transcripts/{transcript}", transcript_format="text")["transcript"]
        )
        return " ".join(line.partition(": ")[2] or line for line in text.splitlines())

    def _ended(self, transcript: str) -> dict[str, Any] | None:
        try:
            found = self.get(f"/v1/transcripts/{transcript}")
        except (AssertionError, httpx2.HTTPError):
            return None  # a service is being started again
        return found if found["status"] in {"ended", "error"} else None
