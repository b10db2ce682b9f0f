"""Tell which version of the image runs, and whether systemd-boot still counts its starts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.errors import ApplianceError, CheckError
from appliance.machine.run import run

IMAGE = "reflector"
BLESS = "/usr/lib/systemd/systemd-bless-boot"
# Set by systemd-boot where the version that it starts has a limited number of tries
COUNTED = "sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


class Blessing(StrEnum):
    """As systemd-bless-boot(8) says it."""

    GOOD = "good"
    BAD = "bad"
    ON_TRIAL = "indeterminate"
    UNCOUNTED = "clean"
    """Blessed in an earlier start."""

    @property
    def is_proven(self) -> bool:
        return self in {Blessing.GOOD, Blessing.UNCOUNTED}


@dataclass(frozen=True)
class Running:
    """`version`: of the image that this machine was started from."""

    version: str
    blessing: Blessing


def running(root: Path = Path("/")) -> Running:
    """Raise ApplianceError if this machine was not made from an image."""
    version = image_version(root)
    if version is None:
        raise ApplianceError(
            "This machine was not installed from an image. Update it with apt and `make install`.",
            "See docs/appliance.md, “Updates”.",
        )
    return Running(version, _blessing(root))


def image_version(root: Path = Path("/")) -> str | None:
    """Return the image's version; None on a machine that was installed."""
    try:
        lines = (root / "usr/lib/os-release").read_text().splitlines()
    except OSError:
        return None
    values = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    return values.get("IMAGE_VERSION") if values.get("IMAGE_ID") == IMAGE else None


def refuse_on_image(what: str) -> None:
    """Raise CheckError on a machine that was made from an image: its system is read-only, and comes
    whole."""
    if image_version() is not None:
        raise CheckError(
            f"{what} does not work on this machine, which was installed from an image.",
            "Update it with `appliance update`.",
        )


def _blessing(root: Path) -> Blessing:
    if not (root / COUNTED).exists():
        return Blessing.UNCOUNTED
    said = run([BLESS, "status"], check=False).output.strip()
    return Blessing(said) if said in set(Blessing) else Blessing.ON_TRIAL
