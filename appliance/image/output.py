"""Write what a build leaves: the disk, its checksum, and a folder for updates."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.configure.effects.downloads import sha256
from appliance.image import bios
from appliance.image.keys import Keys, sign
from appliance.image.tools import Tools
from appliance.image.version import Version

# What a version is made of, as mkosi names it (`SplitName=` in `image/disk/mkosi.repart`): a partition's name has its
# UUID, by which the kernel finds it. The transfers of `appliance/update/` know the same names.
UPDATE = (".usr.*.raw", ".usr-verity.*.raw", ".usr-verity-sig.*.raw", ".efi")
SUMS = "SHA256SUMS"


def publish(
    tools: Tools, keys: Keys, built: Path, to: Path, version: Version, say: Callable[[str], None]
) -> Path:
    """Moves what `built` holds to `to`; the disk's path there. An earlier build of the same version is replaced."""
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
    """Of all versions in the folder, signed: systemd-sysupdate(8) takes nothing that is not in it."""
    lines = [f"{sha256(file)}  {file.name}" for file in sorted(updates.glob("reflector_*"))]
    (updates / SUMS).write_text("\n".join(lines) + "\n")
    sign(keys, tools, updates / SUMS)


def compress(tools: Tools, disk: Path) -> Path:
    """DISK.zst, with its sum; for `zstdcat … | dd`, and for flashing programs that read it."""
    target = disk.with_name(f"{disk.name}.zst")
    tools.run(
        "zstd", "-q", "-f", "-T0", "-9", disk, "-o", target, sees=(disk.parent,), seconds=3600
    )
    (target.with_name(f"{target.name}.sha256")).write_text(f"{sha256(target)}  {target.name}\n")
    return target
