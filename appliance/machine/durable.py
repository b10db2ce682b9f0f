"""Write files durably: whole, or unchanged."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from appliance.errors import ApplianceError


def write_durably(path: Path, text: str, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Replace `path`; ApplianceError where that cannot be. `owner`: user and group by number."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                if owner is not None:
                    os.fchown(file.fileno(), *owner)
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise ApplianceError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Check the free space of the disk, and whether it is mounted read-only.",
        ) from error


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
