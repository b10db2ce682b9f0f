"""List this machine's disks, and tell which one it started from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.machine.run import run

COLUMNS = "NAME,PATH,SIZE,MODEL,TRAN,TYPE,RO,LABEL,PARTLABEL,FSTYPE"
SYSTEM = "/dev/mapper/usr"


@dataclass(frozen=True)
class Disk:
    """A whole disk.

    `size` is in bytes. `holds` says in words what is on it, and is empty for an empty disk.
    """

    path: Path
    size: int
    model: str
    bus: str
    holds: str

    @property
    def described(self) -> str:
        return f"{self.path}  {self.size / 1e9:.0f} GB  {self.model} {self.bus}  {self.holds or 'empty'}"


def others(least: int) -> list[Disk]:
    """Return the writable disks of at least `least` bytes, but not this machine's own."""
    said = run(["lsblk", "--json", "--bytes", "--output", COLUMNS]).output
    own = _below(SYSTEM)
    return [
        _disk(row)
        for row in json.loads(said)["blockdevices"]
        if row["type"] == "disk" and not row["ro"] and int(row["size"]) >= least and row["path"] not in own
        and not row["name"].startswith("zram")
    ]  # fmt: skip


def own_partitions() -> dict[str, tuple[str, str]]:
    """Return device and UUID by label, for the partitions of this machine's own disk."""
    columns = "PATH,PARTLABEL,PARTUUID"
    said = run(["lsblk", "--json", "--list", "--output", columns, *sorted(_below(SYSTEM))]).output
    rows = json.loads(said)["blockdevices"]
    return {row["partlabel"]: (row["path"], row["partuuid"]) for row in rows if row["partlabel"]}


def _below(device: str) -> set[str]:
    """Return the whole disks that `device` consists of."""
    said = run(
        ["lsblk", "--inverse", "--list", "--noheadings", "--output", "PATH,TYPE", device],
        check=False,
    )
    rows = [line.split() for line in said.output.splitlines()]
    return {row[0] for row in rows if row[-1] == "disk"}


def _disk(row: dict[str, Any]) -> Disk:
    parts = row.get("children") or []
    named = [part["label"] or part["partlabel"] or part["fstype"] or part["name"] for part in parts]
    holds = ", ".join(map(str, named)) or str(row["fstype"] or "")
    return Disk(
        Path(row["path"]), int(row["size"]), (row["model"] or "").strip(), row["tran"] or "", holds
    )
