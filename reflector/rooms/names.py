"""Check the names of rooms: each is the address of a page."""

from __future__ import annotations

import unicodedata

from reflector.http.schemas import one_line

LONGEST = 100
# First parts of the addresses that this server has pages, files or an API at
RESERVED = frozenset(
    {
        "account", "administration", "app.webmanifest", "docs", "favicon.ico", "health", "language", "live", "login",
        "logout", "metrics", "offline", "openapi.json", "redoc", "robots.txt", "rooms", "s", "service-worker.js", "share",
        "static", "static-offline-docs", "summary-templates", "transcripts", "trash", "v1", "webhooks",
    }
)  # fmt: skip


def checked(name: str) -> str:
    """Return the name of a room with single spaces. Raises ValueError if it cannot be an address."""
    plain = unicodedata.normalize("NFC", one_line(name))
    if len(plain) > LONGEST:
        raise ValueError(f"the name of a room has at most {LONGEST} characters")
    if plain.strip(".") == "" or any(letter in '/\\?#%<>"' for letter in plain):
        raise ValueError('the name of a room is part of an address: leave out / \\ ? # % < > "')
    if any(unicodedata.category(letter).startswith("C") for letter in plain):
        raise ValueError("the name of a room cannot have control characters")
    if plain.lower() in RESERVED:
        raise ValueError(f"“{plain}” is a page of this server: choose another name")
    return plain
