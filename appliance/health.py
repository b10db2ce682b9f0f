"""Read the application's own list of checks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx2

from appliance.errors import ApplyError

ADDRESS = "http://127.0.0.1:1250/health/ready"
# On a slow machine, several hundred megabytes of Python and a model are read first
READY_SECONDS = 600.0


def checks(address: str = ADDRESS) -> list[dict[str, Any]] | None:
    """Return the checks of `/health/ready`; None if the server does not answer."""
    try:
        return list(httpx2.get(address, timeout=15).json()["checks"])
    except (httpx2.HTTPError, ValueError, KeyError):
        return None


def wait_until_ready(
    say: Callable[[str], None],
    seconds: float = READY_SECONDS,
    hopeless: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until the application works.

    Raises ApplyError with what is wrong if a needed part does not work within `seconds`, or as soon
    as `hopeless` returns a reason why it will not.
    """
    until = time.monotonic() + seconds
    while True:
        if reason := hopeless():
            raise ApplyError(reason, "See `appliance doctor`.")
        found = checks()
        bad = [c for c in found or [] if c["status"] == "failed"]
        if found and not bad:
            for each in found:
                if each["status"] == "warning":
                    say(f"note: {each['name']}: {each['summary']} {each['remedy'] or ''}")
            return
        if time.monotonic() > until:
            if found is None:
                raise ApplyError(
                    "Everything was started, but the server does not answer.",
                    "See `journalctl -u reflector-api`.",
                )
            raise ApplyError(
                "\n".join(f"{c['name']}: {c['summary']}" for c in bad),
                "\n".join(c["remedy"] for c in bad if c["remedy"]),
            )
        time.sleep(1)
