"""Compute a version that grows with each commit and is equal for equal commits."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import CommandError, ConfigError
from appliance.machine.run import run

# What sysupdate can compare, and what fits into a partition's label with `reflector_` and `_s`
FORM = re.compile(r"[0-9][0-9A-Za-z.]{0,23}")
NAMESPACE = uuid.UUID("5b1b6c8e-5b6e-4a39-9b7e-0c9a1c4e5f11")


@dataclass(frozen=True)
class Version:
    """The version of an image.

    `epoch`, in seconds since 1970, is the latest time that a file of the image has.
    """

    text: str
    epoch: int

    @property
    def seed(self) -> uuid.UUID:
        """Return the seed of the UUIDs of file systems and partitions."""
        return uuid.uuid5(NAMESPACE, self.text)


def version(source: Path, release: str, wanted: str | None = None) -> Version:
    """Return the version of an image built from `source`; `release` is the application's.

    Raises ConfigError if a partition cannot be named after the version.
    """
    try:
        said = run(
            ["git", "-c", "safe.directory=*", "-C", source, "log", "-1", "--format=%ct"]
        ).output
        epoch = int(said)
    except (CommandError, ValueError):
        epoch = int(time.time())
    text = wanted or f"{release}.{time.strftime('%Y%m%d%H%M', time.gmtime(epoch))}"
    if not FORM.fullmatch(text):
        raise ConfigError(
            f"{text} is not a valid version of an image.",
            "Use up to 24 digits, letters and dots, and begin with a digit.",
        )
    return Version(text, epoch)
