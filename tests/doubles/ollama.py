"""Ollama's HTTP as its documentation has it (docs/api.md of version 0.12): pulling and listing models.

Ollama is in no registry that the tests reach, so this stands in for it; it knows what it was told.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LAYER = 1000


class Ollama:
    """`known`: models that can be pulled; `break_off`: the next pull ends in the middle."""

    def __init__(self, known: list[str], port: int = 0) -> None:
        self.known, self.pulled = known, list[str]()
        self.break_off = False
        self.pulls = 0
        ollama = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/api/version":
                    self.reply(200, [{"version": "0.12.6"}])
                elif self.path == "/api/tags":
                    self.reply(200, [{"models": [{"name": name} for name in ollama.pulled]}])
                else:
                    self.reply(404, [{"error": "not found"}])

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                ollama.pulls += 1
                self.reply(200, ollama.pull(body["model"]))

            def reply(self, status: int, lines: list[dict[str, Any]]) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/x-ndjson")
                self.end_headers()
                for line in lines:
                    self.wfile.write(json.dumps(line).encode() + b"\n")

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def pull(self, name: str) -> list[dict[str, Any]]:
        if name not in self.known:
            return [
                {"status": "pulling manifest"},
                {"error": "pull model manifest: file does not exist"},
            ]
        steps: list[dict[str, Any]] = [{"status": "pulling manifest"}]
        for done in (0, 500, 1000):
            steps.append({"status": "pulling 8eeb52dfb3bb", "total": LAYER, "completed": done})
            if self.break_off and done == 500:
                self.break_off = False
                return steps
        self.pulled.append(name if ":" in name else f"{name}:latest")
        return [*steps, {"status": "verifying sha256 digest"}, {"status": "success"}]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
