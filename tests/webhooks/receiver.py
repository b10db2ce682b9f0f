"""A server that takes webhooks, and answers what a test wants."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from standardwebhooks.webhooks import Webhook as Verifier

from tests.http_server import QuietHandler, listening


@dataclass
class Receiver:
    """`answers` are the statuses of the next answers; after them the last one stays."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"taken"
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def verified(self, secret: str) -> list[object]:
        """What was received, each verified by the library of the Standard Webhooks project."""
        return [Verifier(secret).verify(content, headers) for headers, content in self.requests]


@contextlib.contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    found = Receiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append(({k.lower(): v for k, v in self.headers.items()}, content))
            status = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

    with listening(Handler, tls) as address:
        found.url = f"{address}/in"
        yield found
