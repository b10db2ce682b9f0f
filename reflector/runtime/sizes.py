"""Format sizes in bytes for people."""

from __future__ import annotations

from humanize import naturalsize


def readable_size(size: float) -> str:
    """Return `size` in bytes like `512 MiB`, `1.5 GiB`, `100 bytes`."""
    return naturalsize(size, binary=True, format="%.4g").replace("Bytes", "bytes")
