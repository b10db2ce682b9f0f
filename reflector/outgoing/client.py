"""Send one request to an address that a person typed: guarded, without redirects, in limited time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
from typing import Any

import httpcore2
import httpx2

from reflector.errors import InvalidInput, Unavailable
from reflector.outgoing.addresses import Allowed

CONNECT_SECONDS = 10.0
# The time that is left is looked at before each
PIECE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """What a server answered. `content` has at most the bytes that were asked for."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def request(
    allowed: Allowed,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes = b"",
    seconds: float = 30.0,
    most_bytes: int = 64 * 1024,
) -> Answer:
    """Send it, and return the answer whatever its status. A redirect is an answer.

    Raises InvalidInput for an address that may not be asked, and Unavailable if the answer is not
    there in `seconds`; only looking the name up may take longer.
    """
    target = parsed(url)
    host = target.raw_host.decode("ascii")
    # Not as httpx would: it would look the name up again, follow proxies, and wait anew for each part
    wanted = httpcore2.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    named = {**headers, "Host": target.netloc.decode("ascii"), "Content-Length": str(len(content))}
    backend = _Backend(allowed, time.monotonic() + seconds)
    try:
        with (
            httpcore2.ConnectionPool(
                ssl_context=create_default_context(), network_backend=backend
            ) as pool,
            pool.stream(method, wanted, headers=list(named.items()), content=content) as response,
        ):
            parts, size = [], 0
            for part in response.iter_stream():
                parts.append(part)
                size += len(part)
                if size >= most_bytes:
                    break
            answered = {
                k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers
            }
            return Answer(response.status, answered, b"".join(parts)[:most_bytes])
    except httpcore2.TimeoutException:
        raise Unavailable("“{host}” did not answer in time.", host=host) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(
            "“{host}” cannot be reached: {reason}.", host=host, reason=reason.rstrip(".")
        ) from error


def parsed(url: str) -> httpx2.URL:
    """Return the address. Raises InvalidInput if it is none of the web."""
    try:
        target = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        target = httpx2.URL("")
    if target.scheme not in {"http", "https"} or not target.host:
        raise InvalidInput(
            "“{url}” is not an address that begins with https:// or http://.", url=url
        )
    return target


class _Backend(httpcore2.NetworkBackend):
    """Connect to allowed addresses only, and to the very ones that were checked."""

    def __init__(self, allowed: Allowed, deadline: float) -> None:
        self._allowed, self._deadline = allowed, deadline
        self._own = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._allowed.resolve(host, port)
        problem: Exception = httpcore2.ConnectTimeout()
        for number, address in enumerate(addresses):
            # One that swallows what is sent to it leaves time for the others
            share = (self._deadline - time.monotonic()) / (len(addresses) - number)
            if share <= 0:
                break
            try:
                stream = self._own.connect_tcp(
                    address, port, min(share, CONNECT_SECONDS), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
            else:
                return _Stream(stream, self._deadline)
        raise problem


class _Stream(httpcore2.NetworkStream):
    """A connection whose operations end at a moment, however little the server sends each time."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def _left(self, late: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise late
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE_BYTES):
            piece = buffer[start : start + PIECE_BYTES]
            self._stream.write(piece, self._left(httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = self._left(httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
