"""Decide which language a person sees the pages in."""

from __future__ import annotations

from babel import negotiate_locale
from fastapi import Request

from reflector.http.deps import cookie_name
from reflector.localization import ENGLISH, LANGUAGES, PSEUDO

COOKIE = "reflector_language"
COOKIE_SECONDS = 365 * 86_400
MOST_PREFERRED = 20


def wanted(request: Request) -> str:
    """Return the language that a person has chosen, or else the one that their browser asks for."""
    chosen = request.cookies.get(cookie_name(request, COOKIE))
    if chosen in {*LANGUAGES, PSEUDO}:
        return str(chosen)
    preferred = _preferred(request.headers.get("accept-language", ""))
    found = negotiate_locale(preferred, list(LANGUAGES), sep="-")
    return found.lower() if found else ENGLISH


def _preferred(header: str) -> list[str]:
    """Return the tags of an `Accept-Language` header, the most wanted first (RFC 9110, 12.5.4)."""
    weighted = []
    for part in header.split(",")[:MOST_PREFERRED]:
        tag, _, weight = (each.strip() for each in part.partition(";"))
        try:
            quality = float(weight.lower().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag and quality > 0:
            weighted.append((quality, tag))
    return [tag for _, tag in sorted(weighted, key=lambda each: -each[0])]
