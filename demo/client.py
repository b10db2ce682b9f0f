"""Call the public API with a small client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import connect

CHUNK_BYTES = 1 << 20
SILENCE_SECONDS = 600


class Client:
    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx2.Client(base_url=url, timeout=60)

    def get(self, path: str, **query: str) -> Any:
        response = self._http.get(path, params=query)
        response.raise_for_status()
        return response.json()

    def create(self, name: str) -> str:
        body = {"name": name, "source_kind": "file", "source_language": "auto"}
        response = self._http.post("/v1/transcripts", json=body)
        response.raise_for_status()
        return str(response.json()["id"])

    def upload(self, transcript_id: str, file: Path) -> None:
        """Upload a file in chunks, as browsers send large recordings."""
        content = file.read_bytes()
        total = -(-len(content) // CHUNK_BYTES)
        for number in range(total):
            piece = content[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]
            response = self._http.post(
                f"/v1/transcripts/{transcript_id}/record/upload",
                params={"chunk_number": number, "total_chunks": total},
                files={"chunk": (file.name, piece)},
            )
            response.raise_for_status()

    def events(self, transcript_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield events as they happen. The first item, CONNECTED, comes before any event."""
        address = f"{self.url.replace('http', 'ws', 1)}/v1/transcripts/{transcript_id}/events"
        with connect(address) as socket:
            yield "CONNECTED", {}
            while True:
                message = json.loads(socket.recv(timeout=SILENCE_SECONDS))
                yield message["event"], message["data"]
