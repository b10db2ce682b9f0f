"""A stick labelled REFLECTOR, as long as something is read from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.run import run

STICK = Path("/dev/disk/by-label/REFLECTOR")
MOUNTED = Path("/run/reflector-stick")


@contextmanager
def mounted() -> Iterator[Path | None]:
    """None where there is none; ApplianceError where it cannot be read."""
    if not STICK.exists():
        yield None
        return
    MOUNTED.mkdir(exist_ok=True)
    run(["mount", "--read-only", STICK, MOUNTED])
    try:
        yield MOUNTED
    finally:
        run(["umount", MOUNTED], check=False)
