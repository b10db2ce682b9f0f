"""Send a recording to a server while it is made, and follow its text."""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from reflector.errors import InvalidInput, Unavailable, is_final
from reflector.recorder.source import Spool

log = logging.getLogger(__name__)

# Acknowledged within ANSWER_SECONDS on a line of 64 kbit/s, too
PIECE_BYTES = 32 << 10
PIECE_SECONDS = 0.25
ANSWER_SECONDS = 30.0
PING_SECONDS = 20.0
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
OFFSET_BYTES = 8
CONFLICT = 409


class Refused(InvalidInput):
    """The server will not take the recording, however often it is sent."""


@dataclass
class Server:
    """A server's address and an API key for it.

    `authority` has signed its certificate; None stands for those that this machine trusts. Raises
    InvalidInput if the file cannot be used.
    """

    url: str
    api_key: str | None = None
    authority: Path | None = None
    headers: dict[str, str] = field(init=False)
    tls: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/")
        self.headers = {"X-API-Key": self.api_key} if self.api_key else {}
        if self.authority and not self.url.startswith("https:"):
            raise InvalidInput(f"{self.url} has no certificate to check: its address is https://…")
        try:
            self.tls = ssl.create_default_context(cafile=self.authority)
        except OSError as error:
            raise InvalidInput(
                f"{self.authority} is not the certificate of an authority: {error}"
            ) from error

    def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer. Raises Refused with the server's sentence, or Unavailable."""
        try:
            answer = httpx2.request(
                method, f"{self.url}{path}", json=body, headers=self.headers, timeout=30,
                verify=self.tls,
            )  # fmt: skip
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{self.url} does not answer: {error}") from error
        if answer.status_code >= 400:
            raise Refused(_sentence(answer))
        return answer.json()

    def socket(self, path: str) -> ClientConnection:
        parts = urlsplit(f"{self.url}{path}")
        is_safe = parts.scheme == "https"
        address = urlunsplit(parts._replace(scheme="wss" if is_safe else "ws"))
        return connect(
            address, additional_headers=self.headers, max_size=None, ping_interval=PING_SECONDS,
            ssl=self.tls if is_safe else None,
        )  # fmt: skip


def _sentence(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The server answers {answer.status_code} {answer.reason_phrase}."


def send(server: Server, transcript_id: str, key: str, spool: Spool) -> None:
    """Send all of `spool` until the server has it, over as many connections as that takes.

    Raises Refused if the server will not take it.
    """
    path = f"/v1/transcripts/{transcript_id}/record/stream?recording={key}&format=webm"
    pauses = _Pauses()
    while True:
        try:
            with server.socket(path) as socket:
                if _send(socket, spool, pauses):
                    return
        except (OSError, WebSocketException, TimeoutError) as error:
            log.warning(
                "the connection to %s was lost (%s); what is said is kept", server.url, error
            )
        pauses.wait()


class _Pauses:
    """How long to wait before each try: longer each time, until something was sent."""

    def __init__(self) -> None:
        self._tries = 0

    def wait(self) -> None:
        time.sleep(RETRY_SECONDS[min(self._tries, len(RETRY_SECONDS) - 1)])
        self._tries += 1

    def reset(self) -> None:
        self._tries = 0


def _send(socket: ClientConnection, spool: Spool, pauses: _Pauses) -> bool:
    """Return whether the server has all; False if it wants to be asked again later."""
    answer = _answer(socket)
    while answer["type"] in {"ready", "saved", "pong"}:
        if answer["type"] != "pong":
            offset = int(answer["offset"])
            pauses.reset()
        piece = spool.read(offset, PIECE_BYTES, PING_SECONDS)
        if piece:
            socket.send(offset.to_bytes(OFFSET_BYTES, "big") + piece)
        elif spool.is_read(offset):
            socket.send(json.dumps({"type": "stop"}))
        else:
            socket.send(json.dumps({"type": "ping"}))
        answer = _answer(socket)
    if answer["type"] == "stopped":
        return True
    status = int(answer["status"])
    if status == CONFLICT and spool.is_read(int(answer.get("offset", 0))):
        return True  # the answer to the stop was lost
    if is_final(status):
        raise Refused(answer["detail"])
    log.warning("%s", answer["detail"])
    return False


def _answer(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=ANSWER_SECONDS))


def events(server: Server, transcript_id: str, stop: threading.Event) -> Iterator[tuple[str, Any]]:
    """Yield name and data of the transcript's events, over as many connections as needed."""
    since = ""
    while not stop.is_set():
        try:
            with server.socket(f"/v1/transcripts/{transcript_id}/events{since}") as socket:
                while not stop.is_set():
                    message = json.loads(socket.recv(timeout=2 * ANSWER_SECONDS))
                    if "seq" in message:
                        since = f"?since={message['seq']}"
                    yield message["event"], message["data"]
        except (OSError, WebSocketException, TimeoutError) as error:
            log.debug("the events of %s: %s", transcript_id, error)
        stop.wait(RETRY_SECONDS[0])
