"""Serve the files of the pages under a path that changes with them, so browsers can cache them."""

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


# Modules import each other by relative addresses, so one hash for all keeps versions apart
PREFIX = f"/static/{digest_of(STATIC)}"
