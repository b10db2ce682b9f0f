"""In front of the S3 server: answers 500 when told to, and mends a fault of rclone's.

rclone answers a range with `Content-Range` and status 200 where S3 says 206 (RFC 9110, section
15.3.7); clients rightly refuse that. It can go when `rclone serve s3` answers 206.
"""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COPY_BYTES = 1 << 16
KEPT_FOR_ONE_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Front:
    """`fail` sets how many of the next requests are answered 500; -1 is all of them."""

    def __init__(self, upstream: int, host: str = "127.0.0.1") -> None:
        self.upstream, self.failures, self.failed = upstream, 0, 0
        self._lock = threading.Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                front._forward(self)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def fail(self, requests: int) -> None:
        with self._lock:
            self.failures = requests

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _must_fail(self) -> bool:
        with self._lock:
            if self.failures == 0:
                return False
            self.failures -= 1 if self.failures > 0 else 0
            self.failed += 1
            return True

    def _forward(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", 0))
        if self._must_fail():
            request.rfile.read(length)
            body = b"<Error><Code>InternalError</Code></Error>"
            request.send_response(500)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body if request.command != "HEAD" else b"")
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            upstream.putrequest(request.command, request.path, True, True)
            for name, value in request.headers.items():
                if name.lower() not in KEPT_FOR_ONE_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders()
            while length > 0 and (piece := request.rfile.read(min(COPY_BYTES, length))):
                upstream.send(piece)
                length -= len(piece)
            answer = upstream.getresponse()
            self._answer(request, answer)
        except (OSError, http.client.HTTPException):
            request.close_connection = True
        finally:
            upstream.close()

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, answer: http.client.HTTPResponse) -> None:
        partial = answer.status == 200 and answer.getheader("Content-Range")
        request.send_response_only(206 if partial else answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in KEPT_FOR_ONE_HOP:
                request.send_header(name, value)
        if answer.getheader("Content-Length") is None and answer.status not in {204, 304}:
            body = answer.read()
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
            return
        request.end_headers()
        if request.command != "HEAD":
            while piece := answer.read(COPY_BYTES):
                request.wfile.write(piece)
