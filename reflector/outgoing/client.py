"""Send one request to an address that a person typed: guarded, without redirects, in limited time."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from reflector.errors import InvalidInput, Unavailable
from reflector.outgoing.addresses import Allowed

# Of one operation: connecting, or waiting for the next part of the answer
STEP_SECONDS = 10.0


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

    Raises InvalidInput for an address that may not be asked, and Unavailable if there is no answer
    in `seconds`; what a slow server sends after that is not waited for.
    """
    target = parsed(url)
    host, port = target.host, target.port or (443 if target.scheme == "https" else 80)
    deadline = time.monotonic() + seconds
    problem: Exception | None = None
    for address in allowed.resolve(host, port):
        # The connection goes to the address that was checked; TLS and the header name the host
        pinned = target.copy_with(host=address)
        named = {**headers, "Host": target.netloc.decode("ascii")}
        try:
            return _send(method, pinned, host, named, content, deadline, most_bytes)
        except httpx2.ConnectError as error:
            problem = error
        except httpx2.HTTPError as error:
            raise _unavailable(host, error) from error
    raise _unavailable(host, problem)


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


def _send(
    method: str,
    url: httpx2.URL,
    host: str,
    headers: Mapping[str, str],
    content: bytes,
    deadline: float,
    most_bytes: int,
) -> Answer:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpx2.ConnectTimeout("out of time")
    with (
        # Proxies of the environment would look the name up again
        httpx2.Client(trust_env=False, verify=ssl.create_default_context(), timeout=min(left, STEP_SECONDS)) as client,
        client.stream(
            method, url, headers=headers, content=content, extensions={"sni_hostname": host}
        ) as response,
    ):  # fmt: skip
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size >= most_bytes or time.monotonic() > deadline:
                break
        return Answer(response.status_code, response.headers, b"".join(parts)[:most_bytes])


def _unavailable(host: str, error: Exception | None) -> Unavailable:
    if isinstance(error, httpx2.TimeoutException):
        return Unavailable("“{host}” did not answer in time.", host=host)
    reason = str(error) or type(error).__name__
    return Unavailable("“{host}” cannot be reached: {reason}.", host=host, reason=reason)
