"""Fetch recordings from URLs in requests, and send results to URLs.

A client must not reach anything through this service that it could not reach itself. So only hosts
in the settings and this machine are allowed, and redirects only lead to those.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx2

from reflector.errors import InvalidInput, NotFound, TooLarge, Unavailable
from reflector.runtime.settings import Settings
from reflector.runtime.sizes import readable_size
from reflector.speech_service.work import temporary_file

MAX_REDIRECTS = 3
CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0


@contextmanager
def fetched(settings: Settings, url: str, check: Callable[[], None]) -> Iterator[BinaryIO]:
    """Yield a temporary file with what is at `url`. Raises the same errors as `fetch`."""
    with temporary_file(settings) as file:
        fetch(settings, url, file, check)
        yield file


def fetch(settings: Settings, url: str, out: BinaryIO, check: Callable[[], None]) -> None:
    """Write what is at `url` to `out`.

    Raises InvalidInput if the address is not valid or not allowed, NotFound if nothing is there,
    TooLarge if it exceeds the limit, and Unavailable if its server is away or too slow.
    """
    deadline = time.monotonic() + settings.SPEECH_FETCH_SECONDS
    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    with httpx2.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                refuse_foreign(settings, url)
                with client.stream("GET", url) as response:
                    if not response.is_redirect:
                        _copy(settings, response, out, deadline, check)
                        return
                    url = urljoin(url, response.headers.get("location", ""))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"The recording cannot be fetched: {error}") from error
    raise InvalidInput("The recording cannot be fetched: too many redirects.")


def send(settings: Settings, url: str, file: Path, media_type: str) -> None:
    """PUT `file` to `url`, for example a presigned URL.

    Raises InvalidInput if the address is not allowed or the upload is refused, and Unavailable if
    the server is away.
    """
    refuse_foreign(settings, url)
    timeout = httpx2.Timeout(settings.SPEECH_FETCH_SECONDS, connect=CONNECT_SECONDS)
    with (
        httpx2.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client,
        file.open("rb") as body,
    ):
        headers = {"Content-Type": media_type, "Content-Length": str(file.stat().st_size)}
        try:
            answer = client.put(url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"The result cannot be sent: {error}") from error
    if answer.status_code >= 300:
        raise InvalidInput(f"The result was not taken: its server answers {answer.status_code}.")


def refuse_foreign(settings: Settings, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput("The address of the recording is no URL.") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise InvalidInput("The address of the recording has to begin with http:// or https://.")
    allowed = {name.strip().lower() for name in settings.SPEECH_FETCH_HOSTS.split(",")} - {""}
    if host.lower() in allowed or _is_this_machine(host):
        return
    raise InvalidInput(
        f"Recordings are not fetched from {host}.",
        "An operator can allow that host with SPEECH_FETCH_HOSTS.",
    )


def _is_this_machine(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _copy(
    settings: Settings,
    response: httpx2.Response,
    out: BinaryIO,
    deadline: float,
    check: Callable[[], None],
) -> None:
    if response.status_code == 404:
        raise NotFound("Audio file not found")
    if response.status_code != 200:
        raise InvalidInput(f"The recording's server answers {response.status_code}.")
    received = 0
    for piece in response.iter_bytes(1 << 20):
        check()
        received += len(piece)
        if received > settings.MAX_UPLOAD_BYTES:
            limit = readable_size(settings.MAX_UPLOAD_BYTES)
            raise TooLarge(f"The recording is larger than the {limit} that this service takes.")
        if time.monotonic() > deadline:
            raise Unavailable(
                f"The recording did not come within {settings.SPEECH_FETCH_SECONDS} seconds."
            )
        out.write(piece)
