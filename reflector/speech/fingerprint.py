"""Fingerprint the weights in a model folder, in a few milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

SAMPLE_BYTES = 1 << 20
LENGTH = 12
# Files that the hub's client and our own tools leave beside a model; they do not affect its output
IGNORED_PARTS = {".cache", "__pycache__"}


def fingerprint(folder: Path) -> str:
    """Return 12 hexadecimal digits that change when a file of the model in `folder` changes.

    Reads the size of each file and at most 3 MiB of it: start, middle and end. Other weights differ
    everywhere, so samples tell them apart. The manifest finds damaged copies.
    """
    digest = hashlib.sha256()
    for path in sorted(_files(folder)):
        digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
        _add_samples(digest, path)
    return digest.hexdigest()[:LENGTH]


def _files(folder: Path) -> Iterable[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not IGNORED_PARTS & set(path.relative_to(folder).parts):
            yield path


def _add_samples(digest: hashlib._Hash, path: Path) -> None:
    size = path.stat().st_size
    starts = {0, max(0, size // 2 - SAMPLE_BYTES // 2), max(0, size - SAMPLE_BYTES)}
    with path.open("rb") as file:
        for start in sorted(starts):
            file.seek(start)
            digest.update(file.read(SAMPLE_BYTES))
