"""Garage's administration API, version 2, as its documentation has it: a cluster of one node that has
to be laid out, buckets, keys.

Garage is in no registry that the tests reach, so this stands in for it.
"""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NODE = "0123456789abcdef" * 4


class Garage:
    """`layout`: version, roles and what is staged; `allowed`: pairs of bucket and key."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.version, self.roles, self.staged = 0, list[dict[str, Any]](), list[dict[str, Any]]()
        self.buckets, self.keys = dict[str, str](), dict[str, str]()
        self.allowed: list[tuple[str, str, dict[str, bool]]] = []
        garage = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                if self.headers["Authorization"] != f"Bearer {garage.token}":
                    self.reply(
                        403, {"code": "AccessDenied", "message": "Invalid Authorization header"}
                    )
                    return
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                call = getattr(garage, f"on_{parts.path.removeprefix('/v2/')}", None)
                if call is None:
                    self.reply(404, {"code": "NotFound", "message": parts.path})
                    return
                status, found = call(body, parse_qs(parts.query))
                self.reply(status, found)

            do_GET = do_POST = answer

            def reply(self, status: int, body: Any) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def on_GetClusterStatus(self, body: Any, query: Any) -> tuple[int, Any]:
        return 200, {"layoutVersion": self.version, "nodes": [{"id": NODE, "isUp": True}]}

    def on_GetClusterLayout(self, body: Any, query: Any) -> tuple[int, Any]:
        return 200, {"version": self.version, "roles": self.roles, "stagedRoleChanges": self.staged}

    def on_UpdateClusterLayout(self, body: Any, query: Any) -> tuple[int, Any]:
        self.staged = body["roles"]
        return self.on_GetClusterLayout(None, None)

    def on_ApplyClusterLayout(self, body: Any, query: Any) -> tuple[int, Any]:
        if body["version"] != self.version + 1:
            return 400, {"code": "InvalidRequest", "message": "Invalid new layout version"}
        self.version, self.roles, self.staged = body["version"], self.staged, []
        return 200, {"message": [], "layout": {}}

    def on_ListBuckets(self, body: Any, query: Any) -> tuple[int, Any]:
        return 200, [{"id": id_, "globalAliases": [name]} for name, id_ in self.buckets.items()]

    def on_CreateBucket(self, body: Any, query: Any) -> tuple[int, Any]:
        if not self.roles:
            return 500, {"code": "InternalError", "message": "Layout not ready"}
        self.buckets[body["globalAlias"]] = secrets.token_hex(32)
        return 200, {"id": self.buckets[body["globalAlias"]]}

    def on_ListKeys(self, body: Any, query: Any) -> tuple[int, Any]:
        return 200, [{"id": id_, "name": name} for id_, name in self.keys.items()]

    def on_CreateKey(self, body: Any, query: Any) -> tuple[int, Any]:
        made = f"GK{secrets.token_hex(12)}"
        self.keys[made] = body["name"]
        return 200, {
            "accessKeyId": made,
            "secretAccessKey": secrets.token_hex(32),
            "name": body["name"],
        }

    def on_DeleteKey(self, body: Any, query: Any) -> tuple[int, Any]:
        self.keys.pop(query["id"][0])
        return 200, None

    def on_AllowBucketKey(self, body: Any, query: Any) -> tuple[int, Any]:
        self.allowed.append((body["bucketId"], body["accessKeyId"], body["permissions"]))
        return 200, {"id": body["bucketId"]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
