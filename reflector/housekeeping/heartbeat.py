"""A request to HEALTHCHECK_URL, whose absence somebody notices."""

from __future__ import annotations

import logging

import httpx2

from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10


def ping(settings: Settings) -> bool:
    """Fetch it; return whether the address answered. It is asked again at the next turn."""
    if not settings.HEALTHCHECK_URL:
        return False
    try:
        httpx2.get(settings.HEALTHCHECK_URL, timeout=TIMEOUT_SECONDS).raise_for_status()
    except httpx2.HTTPError as error:
        log.warning("HEALTHCHECK_URL does not answer: %s", error)
        return False
    return True
