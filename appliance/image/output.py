"""Write the results of a build: the disk, its checksum, and a folder for updates."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.configure.effects.downloads import sha256
from appliance.image import bios
from appliance.image.keys import Keys, sign
from appliance.image.tools import Tools
from appliance.image.version import Version

# The parts of a version, as mkosi names them (`SplitName=` in `image/disk/mkosi.repart`). A
# partition's name has its UUID, by which the kernel finds it. The transfers of `appliance/update/`
# use the same names.
UPDATE = (".usr.*.raw", ".usr-verity.*.raw", ".usr-verity-sig.*.raw", ".efi")
SUMS = "SHA256SUMS"


def publish(
    tools: Tools, keys: Keys, built: Path, to: Path, version: Version, say: Callable[[str], None]
) -> Path:
    """Move the results from `built` to `to`, and return the disk's path.

    An earlier build of the same version is replaced.
    """
    name = f"reflector_{version.text}"
    updates = to / "updates"
    updates.mkdir(parents=True, exist_ok=True)
    for old in updates.glob(f"{name}.*"):
        old.unlink()
    for pattern in UPDATE:
        for part in built.glob(f"{name}{pattern}"):
            shutil.move(part, updates / part.name)
    disk = to / f"{name}.raw"
    shutil.move(built / f"{name}.raw", disk)
    bios.put(disk)
    (to / f"{disk.name}.sha256").write_text(f"{sha256(disk)}  {disk.name}\n")
    write_sums(tools, keys, updates)
    say(f"{disk} is {disk.stat().st_size / 1e9:.1f} GB; updates are in {updates}")
    return disk


def write_sums(tools: Tools, keys: Keys, updates: Path) -> None:
    """Write the signed checksums of all versions in the folder.

    systemd-sysupdate(8) accepts only files that are listed there.
    """
    lines = [f"{sha256(file)}  {file.name}" for file in sorted(updates.glob("reflector_*"))]
    (updates / SUMS).write_text("\n".join(lines) + "\n")
    sign(keys, tools, updates / SUMS)


def compress(tools: Tools, disk: Path) -> Path:
    """Write DISK.zst and its checksum, and return its path.

    It is for `zstdcat … | dd`, and for flashing programs that read this format.
    """
    target = disk.with_name(f"{disk.name}.zst")
    tools.run(
        "zstd", "-q", "-f", "-T0", "-9", disk, "-o", target, sees=(disk.parent,), seconds=3600
    )
    (target.with_name(f"{target.name}.sha256")).write_text(f"{sha256(target)}  {target.name}\n")
    return target
