"""Unpack programs from the lock file beside the earlier version, and switch to them at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Reads .tar.zst, which Python's own tarfile does from 3.14 on: then this can go
from backports.zstd import ZstdError, tarfile

from appliance.artifacts import pinned
from appliance.configure.effects.downloads import fetch
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import InstallArtifact
from appliance.errors import ApplianceError

FOLDER = "/usr/lib/reflector"
# Where FOLDER is part of an image, and its names lead to here
WRITABLE = "/var/lib/reflector-programs"
ELF = b"\x7fELF"
CACHE = "/var/cache/reflector-appliance"


@apply.register
def install_artifact(change: InstallArtifact, machine: Machine) -> None:
    artifact = pinned(change.name)
    cache = machine.artifacts or machine.path(CACHE)
    file = fetch(artifact, machine.facts.processor.architecture, cache, machine.say)
    link = machine.path(f"{FOLDER}/{change.name}")
    leads_to_var = link.is_symlink() and "reflector-programs" in str(link.readlink())
    folder = machine.path(WRITABLE if leads_to_var else FOLDER)
    target = folder / f"{change.name}-{change.version}"
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _unpack(file, part, change.name)
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    _point(folder / change.name, target.name)
    for old in target.parent.glob(f"{change.name}-*"):
        if old != target:
            shutil.rmtree(old)
    machine.ledger.installed(change.name, change.version)


def _unpack(file: Path, folder: Path, name: str) -> None:
    """Unpack an archive, or copy the program itself. Raises ApplianceError for other files."""
    program = folder / "bin" / name
    with file.open("rb") as opened:
        is_program = opened.read(4) == ELF
    if is_program:
        program.parent.mkdir()
        shutil.copyfile(file, program)
        program.chmod(0o755)
        return
    try:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
    except tarfile.ReadError as error:
        raise ApplianceError(
            f"{file} is neither a program nor an archive of a known kind.",
            "Update the appliance: its lock file names a kind of file that this version cannot unpack.",
        ) from error
    except (tarfile.TarError, ZstdError, EOFError, OSError) as error:
        raise ApplianceError(
            f"{file} cannot be unpacked: {error}.", "Check the free space of the disk."
        ) from error
    if not program.is_file():
        raise ApplianceError(
            f"{file} does not contain the program bin/{name}.",
            "Update the appliance: its lock file is wrong.",
        )


def _point(link: Path, target: str) -> None:
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
