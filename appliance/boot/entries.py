"""List what systemd-boot can start: kernel images on the ESP, with the tries that each has left.

The file names hold the counters, as the Boot Loader Specification says under “boot counting”:
https://uapi-group.org/specifications/specs/boot_loader_specification/#boot-counting
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ApplianceError, CommandError
from appliance.machine.run import run

FOLDER = "EFI/Linux"
# How many starts a new version has to show that it works
TRIES = 3
NAME = re.compile(r"reflector_(?P<version>[^+]+?)(?:\+(?P<left>\d+)(?:-(?P<done>\d+))?)?\.efi")


@dataclass(frozen=True)
class Entry:
    """A kernel image on the ESP.

    `tries_left` is None if its tries are not counted: it has shown that it works.
    """

    version: str
    file: Path
    tries_left: int | None = None
    tries_done: int = 0

    @property
    def has_failed(self) -> bool:
        return self.tries_left == 0


def entries(esp: Path) -> list[Entry]:
    """Return the entries in systemd-boot's order: newest first, then those without tries left."""
    found = [
        Entry(
            match["version"], file, int(match["left"]) if match["left"] else None, int(match["done"] or 0)
        )
        for file in (esp / FOLDER).glob("*.efi")
        if (match := NAME.fullmatch(file.name))
    ]  # fmt: skip
    return sorted(found, key=lambda e: (not e.has_failed, order(e.version)), reverse=True)


def esp() -> Path:
    """Return where the ESP is mounted. Raises ApplianceError if it is not mounted."""
    try:
        return Path(run(["bootctl", "--print-esp-path"]).output.strip())
    except CommandError as error:
        raise ApplianceError(
            f"The boot partition (ESP) is not mounted: {error.message}", "See `bootctl status`."
        ) from error


def retire(entry: Entry) -> None:
    """Take all tries from `entry`, so that systemd-boot starts another one from now on.

    systemd-boot still starts `entry` if it is the only one.
    """
    name = f"reflector_{entry.version}+0-{max(entry.tries_done, 1)}.efi"
    entry.file.rename(entry.file.with_name(name))


def revive(entry: Entry, tries: int = TRIES) -> None:
    """Give `entry` tries, so that systemd-boot starts it again."""
    entry.file.rename(entry.file.with_name(f"reflector_{entry.version}+{tries}.efi"))


def order(version: str) -> list[tuple[int, str]]:
    """Return the key by which versions compare: numbers by value, as in systemd-sysupdate."""
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.findall(r"\d+|[^\d.]+", version)]
