"""Writing a version into the slot that does not run, by systemd-sysupdate(8).

It is fetched and checked before that slot, which holds the version to go back to, is touched; sysupdate then reads
it from this machine's own disk, and checks the same signature and sums again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from appliance.boot import entries
from appliance.configure.effects.downloads import sha256
from appliance.errors import ApplianceError, CommandError
from appliance.machine.durable import write_durably
from appliance.machine.run import follow
from appliance.render import render
from appliance.update.manifest import SIGNATURE, SUMS, Manifest, Offer
from appliance.update.source import Source

FOLDER = Path("/var/lib/reflector-appliance/update")
SYSUPDATE = "/usr/lib/systemd/systemd-sysupdate"
# As in the labels and names of `image/disk`; in the order in which they are written: what can be started comes last
PARTITIONS = {"usr-verity-sig": "_s", "usr-verity": "_v", "usr": ""}
Say = Callable[[str], None]


def fetch(source: Source, manifest: Manifest, offer: Offer, say: Say) -> Path:
    """Return a folder with all of it, as the signed list says; ApplianceError where it is not, with
    nothing changed."""
    folder = FOLDER / offer.version
    for old in FOLDER.glob("*"):
        if old != folder:
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    for name, wanted in offer.files.items():
        target = folder / name
        if target.is_file() and sha256(target) == wanted:
            continue
        part = folder / f"{name}.part"
        source.fetch(name, part, say)
        if sha256(part) != wanted:
            part.unlink()
            raise ApplianceError(
                f"{name} does not match the signed list. It is damaged or incomplete, and was removed.",
                "Nothing was changed. Run the command again. If it fails again, ask the image's builder.",
            )
        part.rename(target)
    (folder / SUMS).write_bytes(manifest.sums)
    (folder / SIGNATURE).write_bytes(manifest.signature)
    return folder


def write(folder: Path, version: str) -> None:
    """Write the version to the free slot. Raises ApplianceError with sysupdate's own words."""
    try:
        _sysupdate(folder, "update", version)
    except CommandError as error:
        raise ApplianceError(
            f"{version} could not be written: {error.message}",
            "The running version was not changed. Run the command again. If it fails again, check the disk.",
        ) from error
    shutil.rmtree(FOLDER)


def clear() -> None:
    """Remove all versions but the running one. Raises ApplianceError if that fails."""
    try:
        _sysupdate(FOLDER, "--instances-max=1", "vacuum")
    except CommandError as error:
        raise ApplianceError(
            f"The free slot could not be emptied: {error.message}", "Check the disk."
        ) from error


def _sysupdate(folder: Path, *command: str) -> None:
    """Run systemd-sysupdate. Raises CommandError with the last line that looks like a reason."""
    definitions = FOLDER / "definitions"
    shutil.rmtree(definitions, ignore_errors=True)
    for number, (kind, end) in enumerate(PARTITIONS.items(), 1):
        text = render("partition.transfer.j2", kind=kind, end=end, folder=folder)
        write_durably(definitions / f"{number}0-{kind}.transfer", text, 0o644)
    text = render("kernel.transfer.j2", folder=folder, tries=entries.TRIES)
    write_durably(definitions / "40-kernel.transfer", text, 0o644)
    said: list[str] = []
    try:
        follow([SYSUPDATE, f"--definitions={definitions}", *command], said.append)
    except CommandError as error:
        reasons = [line for line in said if "ailed" in line or "rror" in line] or [error.message]
        raise CommandError(reasons[-1][:300]) from error
