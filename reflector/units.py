"""Quantities in words."""

from __future__ import annotations

UNITS = ("KiB", "MiB", "GiB")


def in_words(size: int) -> str:
    """`512 MiB`, `1.5 GiB`."""
    if size < 1024:
        return f"{size} bytes"
    power = 1
    while power < len(UNITS) and size >= 1024 ** (power + 1):
        power += 1
    return f"{size / 1024**power:.4g} {UNITS[power - 1]}"
