"""Format and mount a second disk: only an empty one, or one that is ours already."""

from __future__ import annotations

import os
from pathlib import Path

from appliance.configure.effects.files import numbers
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.parts.data_disk import DONE
from appliance.configure.plan.changes import TakeDisk
from appliance.errors import ApplyError
from appliance.machine.run import run

SECONDS = 600.0


@apply.register
def take_disk(change: TakeDisk, machine: Machine) -> None:
    device = Path(change.device)
    if not device.is_block_device():
        raise ApplyError(
            f"There is no disk {device}.",
            "List the disks of this machine with `ls -l /dev/disk/by-id`.",
        )
    there = _label(device)
    if there is None:
        run(["mkfs.ext4", "-q", "-L", change.label, device], seconds=SECONDS)
        run(["udevadm", "settle", "--timeout=30"], check=False)
    elif there != change.label:
        raise ApplyError(
            f"{device} is not empty. It contains {there}.",
            f"Choose another disk, or erase this one and lose its data with `wipefs --all {device}`.",
        )
    run(["systemctl", "daemon-reload"])
    run(["systemctl", "enable", "--now", change.unit])
    os.chown(change.folder, *numbers(machine.root, "reflector:reflector"))
    Path(change.folder).chmod(0o750)
    machine.ledger.started([change.unit])
    machine.ledger.did(DONE)


def _label(device: Path) -> str | None:
    """Return the label or the kind of what is on the disk; None if it is empty."""
    said = run(["wipefs", "--noheadings", "--output", "LABEL,TYPE", device], check=False).output
    rows = [line.split() for line in said.splitlines() if line.strip()]
    return rows[0][0] if rows else None
