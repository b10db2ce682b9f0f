"""Fetch a feed from an address that a person typed."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from reflector.errors import N_, InvalidInput, Unavailable
from reflector.outgoing.addresses import Allowed
from reflector.outgoing.client import request

MOST_BYTES = 16 * 2**20
# For all redirects together
SECONDS = 60.0
MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
TOO_LARGE = N_("The calendar is larger than {megabytes} MB.")


def fetch(allowed: Allowed, url: str) -> bytes:
    """Return the feed. Redirects are followed, each to an address that may be asked.

    Raises InvalidInput for an address or a feed that cannot be used, and Unavailable if the server
    does not give it now.
    """
    headers = {
        "Accept": "text/calendar, */*;q=0.1",
        "User-Agent": "Reflector",
        "Accept-Encoding": "identity",
    }
    target, deadline = url, time.monotonic() + SECONDS
    for _ in range(MOST_REDIRECTS + 1):
        if target.lower().startswith("webcal://"):
            target = f"https://{target[9:]}"
        answer = request(
            allowed,
            "GET",
            target,
            headers=headers,
            seconds=deadline - time.monotonic(),
            most_bytes=MOST_BYTES + 1,
        )
        location = answer.headers.get("location")
        if answer.status not in REDIRECTS or not location:
            break
        target = urljoin(target, location)
    if answer.status != 200:
        raise Unavailable("The server of the calendar answered {status}.", status=answer.status)
    if len(answer.content) > MOST_BYTES:
        raise InvalidInput(TOO_LARGE, megabytes=MOST_BYTES // 2**20)
    return answer.content
