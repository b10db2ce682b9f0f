"""Serve the files of the pages at an address that changes with them, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from pathlib import Path

STATIC = Path(__file__).parent / "static"
DIGITS = 16


def digest_of(folder: Path) -> str:
    """Return a hash of the names and contents of all files in `folder`."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:DIGITS]


# Modules import each other by relative addresses: one hash for all keeps old and new ones apart
PREFIX = f"/static/{digest_of(STATIC)}"
