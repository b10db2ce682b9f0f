"""Ping HEALTHCHECK_URL, where a monitor raises an alarm if the pings stop."""

from __future__ import annotations

import logging

import httpx2

from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10


def ping(settings: Settings) -> bool:
    """Return whether HEALTHCHECK_URL answered. The next scheduled run tries again."""
    if not settings.HEALTHCHECK_URL:
        return False
    try:
        httpx2.get(settings.HEALTHCHECK_URL, timeout=TIMEOUT_SECONDS).raise_for_status()
    except httpx2.HTTPError as error:
        log.warning("HEALTHCHECK_URL does not answer: %s", error)
        return False
    return True
