"""A model hub for the tests: files by name, gated models, downloads that break off.

Written from what huggingface_hub asks for (its documentation of HF_ENDPOINT, and the requests
themselves); there is no hub to be had here.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "token of the tests"


class ModelHub:
    """`models`: name → path → content. Who asks for one in `gated` is refused."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, bytes]] = {}
        self.gated: set[str] = set()
        self.fetched: list[str] = []
        self.tokens: set[str | None] = set()
        self.break_off_after: int | None = None
        self.url = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/[^/]+)?", path):
            return self._listing(match[1], as_tree=match[2] == "tree")
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            return self._file(match[1], match[2])
        return 404, {}, b"{}"

    def _listing(self, name: str, *, as_tree: bool) -> tuple[int, dict[str, str], bytes]:
        if name not in self.models:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if as_tree:
            return self._json([
                {"type": "file", "path": file, "size": len(content), "oid": _digest(content)}
                for file, content in self.models[name].items()
            ])  # fmt: skip
        siblings = [{"rfilename": file} for file in self.models[name]]
        return self._json({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings})

    def _file(self, name: str, file: str) -> tuple[int, dict[str, str], bytes]:
        if name in self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b"{}"
        content = self.models.get(name, {}).get(file)
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        return 200, {"ETag": f'"{_digest(content)}"', "X-Repo-Commit": COMMIT}, content

    def _json(self, body: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@contextmanager
def model_hub() -> Iterator[ModelHub]:
    hub = ModelHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def do_GET(self) -> None:
            self._send(with_body=True)

        def _send(self, *, with_body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.tokens.add(self.headers.get("Authorization"))
            status, headers, body = hub.answer(path)
            first = 0
            if status == 200 and with_body and "/resolve/" in path:
                hub.fetched.append(path.partition("/resolve/")[2].partition("/")[2])
                if match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
                    first, status = int(match[1]), 206
                    headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            part = body[first:]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            if with_body:
                broken = hub.break_off_after is not None and len(part) > hub.break_off_after
                self.wfile.write(part[: hub.break_off_after] if broken else part)
                if broken:
                    self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
