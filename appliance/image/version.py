"""Compute a version that grows with each commit and is equal for equal commits."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import CommandError, ConfigError
from appliance.machine.run import run

# What sysupdate compares, and what fits a partition's label beside `reflector_` and `_s`
FORM = re.compile(r"[0-9][0-9A-Za-z.]{0,23}")
NAMESPACE = uuid.UUID("5b1b6c8e-5b6e-4a39-9b7e-0c9a1c4e5f11")


@dataclass(frozen=True)
class Version:
    """`epoch`: seconds since 1970, the time that files of the image have at most."""

    text: str
    epoch: int

    @property
    def seed(self) -> uuid.UUID:
        """From which the identities of file systems and partitions are made."""
        return uuid.uuid5(NAMESPACE, self.text)


def version(source: Path, release: str, wanted: str | None = None) -> Version:
    """`release`: the application's. ConfigError for a version that no partition can be named after."""
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
            f"{text} cannot be the version of an image.",
            "Up to 24 digits, letters and dots, a digit first.",
        )
    return Version(text, epoch)
