"""Mount USB media labelled REFLECTOR while something is read from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.machine.run import run

STICK = Path("/dev/disk/by-label/REFLECTOR")
MOUNTED = Path("/run/reflector-stick")


@contextmanager
def mounted() -> Iterator[Path | None]:
    """None where there is none; ApplianceError where it cannot be read."""
    if not STICK.exists():
        yield None
        return
    MOUNTED.mkdir(exist_ok=True)
    # Somebody else's file system: nothing on it becomes a program, a device or another user's right
    run(["mount", "--read-only", "--options", "nosuid,nodev,noexec", STICK, MOUNTED])
    try:
        yield MOUNTED
    finally:
        run(["umount", MOUNTED], check=False)
