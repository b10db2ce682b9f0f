"""Write and remove files and folders."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import MakeFolder, RemoveFile, WriteFile
from appliance.configure.plan.view import digest
from appliance.errors import ApplianceError
from appliance.machine.durable import write_durably


@apply.register
def write_file(change: WriteFile, machine: Machine) -> None:
    new = digest(change.text)
    machine.ledger.will_write(change.path, new, change.restarts)
    owner = numbers(machine.root, change.owner)
    write_durably(machine.path(change.path), change.text, change.mode, owner)
    machine.ledger.has_written(change.path, new)


@apply.register
def remove_file(change: RemoveFile, machine: Machine) -> None:
    machine.ledger.wait_for(change.restarts)
    machine.path(change.path).unlink(missing_ok=True)
    machine.ledger.has_written(change.path, None)


@apply.register
def make_folder(change: MakeFolder, machine: Machine) -> None:
    folder = machine.path(change.path)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(change.mode)
    os.chown(folder, *numbers(machine.root, change.owner))


def numbers(root: Path, owner: str) -> tuple[int, int]:
    """Return the ids of the user and group in `user:group` on the machine at `root`."""
    user, _, group = owner.partition(":")
    return _number(root / "etc/passwd", user), _number(root / "etc/group", group)


def _number(file: Path, name: str) -> int:
    for line in file.read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2])
    raise ApplianceError(f"There is no {name} in {file}.", "Run `appliance install`.")
