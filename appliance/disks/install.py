"""Write the running version to a disk of the machine (systemd-repart(8))."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from appliance.boot import entries
from appliance.boot.machine import running
from appliance.disks.listing import Disk, own_partitions
from appliance.errors import ApplianceError, CommandError
from appliance.machine.durable import write_durably
from appliance.machine.run import follow
from appliance.render import render

ESP = 512 << 20
SIGNATURE = "16K"
UNITS = {"K": 10, "M": 20, "G": 30}
SIZE = re.compile(r"^SizeMinBytes=(\d+)([KMG])$", re.MULTILINE)
REPART_D = Path("/usr/lib/repart.d")


def least(definitions: Path = REPART_D) -> int:
    """Return bytes that a disk needs for all partitions of a machine."""
    found = [SIZE.search(file.read_text()) for file in definitions.glob("*.conf")]
    return ESP + sum(int(match[1]) << UNITS[match[2]] for match in found if match)


def install(disk: Disk, say: Callable[[str], None]) -> None:
    """Install to `disk`, and lose everything on it. Raises ApplianceError with repart's words."""
    with tempfile.TemporaryDirectory(dir="/run") as name:
        folder = Path(name)
        boot = _boot_partition(entries.esp(), folder / "esp")
        definitions = folder / "definitions"
        for number, (file, text) in enumerate(_definitions(boot)):
            write_durably(definitions / f"{number}0-{file}.conf", text, 0o644)
        command = [
            "systemd-repart", "--dry-run=no", "--empty=force", "--discard=no", f"--definitions={definitions}",
            str(disk.path),
        ]  # fmt: skip
        said: list[str] = []
        try:
            say(f"writing to {disk.path}")
            follow(command, said.append)
        except CommandError as error:
            raise ApplianceError(
                f"{disk.path} could not be written: {(said or [error.message])[-1]}",
                "Check the disk, whose data may be lost. Then try again, or use another disk.",
            ) from error
    say(
        "The installation is done. Remove the USB stick. The machine starts from its disk from now on."
    )


def _boot_partition(esp: Path, copy: Path) -> Path:
    """Return its files, the kernel with all its tries: it was started from another medium, not from
    this one."""
    shutil.copytree(esp, copy, ignore=shutil.ignore_patterns("random-seed"))
    for entry in entries.entries(copy):
        entries.revive(entry)
    return copy


def _definitions(boot: Path) -> list[tuple[str, str]]:
    """Return the image's own partitions; the second slot and the state are made when the disk is
    started."""
    name = f"reflector_{running().version}"
    there = own_partitions()
    copies = {
        "usr-verity-sig": ("_s", SIGNATURE), "usr-verity": ("_v", _size("11-usr-a-verity")),
        "usr": ("", _size("12-usr-a")),
    }  # fmt: skip
    found = [("esp", render("installed-esp.repart.j2", boot=boot))]
    for kind, (end, each) in copies.items():
        label = f"{name}{end}"
        if label not in there:
            raise ApplianceError(
                f"The partition {label} of the running system was not found.",
                "Start from the installation medium again.",
            )
        device, uuid = there[label]
        text = render(
            "installed.repart.j2", kind=kind, label=label, device=device, uuid=uuid, size=each
        )
        found.append((kind, text))
    return found


def _size(name: str) -> str:
    """Return the size of a partition of slot A; without it repart would share out the disk."""
    found = SIZE.search((REPART_D / f"{name}.conf").read_text())
    assert found
    return found[1] + found[2]
