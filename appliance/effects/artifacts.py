"""Programs from the lock file, unpacked beside the version before and put in its place at once."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from appliance.artifacts import pinned
from appliance.effects.downloads import fetch
from appliance.effects.machine import Machine, apply
from appliance.errors import ApplianceError
from appliance.plan.changes import InstallArtifact

FOLDER = "/usr/lib/reflector"
# Where FOLDER is part of an image, and its names lead to here
WRITABLE = "/var/lib/reflector-programs"
CACHE = "/var/cache/reflector-appliance"


@apply.register
def _(change: InstallArtifact, machine: Machine) -> None:
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
    """An archive's members, or the program itself."""
    if not file.name.endswith((".tgz", ".tar.gz")):
        program = folder / "bin" / name
        program.parent.mkdir()
        shutil.copyfile(file, program)
        program.chmod(0o755)
        return
    try:
        with tarfile.open(file) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError) as error:
        raise ApplianceError(
            f"{file} cannot be unpacked: {error}.", "Look at the disk's space."
        ) from error


def _point(link: Path, target: str) -> None:
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
