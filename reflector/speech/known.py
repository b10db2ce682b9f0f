"""Check downloads of known models against their checksums."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from pathlib import Path

from reflector.errors import ModelUnavailable

TABLE = Path(__file__).with_name("known_models.toml")


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    """Return the SHA-256 of each file, for every name of a model."""
    found = {}
    for name, model in tomllib.loads(TABLE.read_text()).items():
        for each in [name, *model.get("short", [])]:
            found[each] = model["files"]
    return found


def verify_fetched(name: str, folder: Path) -> None:
    """Raise ModelUnavailable if a file of a known model is missing or different.

    A different file is removed.
    """
    for path, expected in _table().get(name, {}).items():
        file = folder / path
        if file.is_file():
            with file.open("rb") as opened:
                if hashlib.file_digest(opened, "sha256").hexdigest() == expected:
                    continue
            file.unlink()
        raise ModelUnavailable(
            f"{path} of {name} is not the file that is known by this name; it was not kept.",
            "Pull it again. If it stays so, its publisher has changed it: get it by other means, and use "
            "`reflector models import FOLDER`.",
        )
