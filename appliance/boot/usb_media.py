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
    """Yield where the medium is mounted, or None if there is none.

    Raises ApplianceError if it cannot be mounted.
    """
    if not STICK.exists():
        yield None
        return
    MOUNTED.mkdir(exist_ok=True)
    # The file system is not ours: nothing on it may become a program, a device or a user's
    # privilege
    run(["mount", "--read-only", "--options", "nosuid,nodev,noexec", STICK, MOUNTED])
    try:
        yield MOUNTED
    finally:
        run(["umount", MOUNTED], check=False)
