"""Plan where recordings are stored: in a folder, in Garage on this machine, or in S3 elsewhere."""

from __future__ import annotations

from appliance.config.model import StorageOn
from appliance.configure.parts.application import DEFAULT_FOLDER, S3_KEYS
from appliance.configure.plan.changes import MakeFolder, SetUpGarage
from appliance.configure.plan.view import Note, Planned, View
from appliance.errors import PlanError
from appliance.machine import units
from appliance.machine.facts.model import Disk, Facts
from appliance.render import render
from appliance.secrets.store import credential_line

STEP = "storage"
GIB = 1 << 30
CONFIG = "/etc/garage/garage.toml"
SECRETS = ("GARAGE_RPC_SECRET", "GARAGE_ADMIN_TOKEN")


def plan(view: View) -> Planned:
    storage = view.config.storage
    folder = str(storage.folder)
    if folder != DEFAULT_FOLDER and folder not in view.state.folders:
        yield MakeFolder(step=STEP, reason="recordings", path=folder)
    yield from _space(view)
    match storage.on:
        case StorageOn.GARAGE:
            yield from _garage(view)
        case StorageOn.S3:
            missing = [name for name in S3_KEYS if not view.has_secret(name)]
            if missing:
                raise PlanError(
                    f"S3 storage needs the secrets {' and '.join(missing)}.",
                    f"Give them with --secret {missing[0]}=FILE, or `appliance secrets set NAME`.",
                )
        case StorageOn.LOCAL:
            pass


def _space(view: View) -> Planned:
    disk = disk_of(view.facts, str(view.config.storage.folder))
    if disk and disk.free < view.config.storage.low_space_gib * GIB:
        yield Note(
            STEP,
            f"{disk.mount} has {disk.free / GIB:.1f} GiB free, less than storage.low_space_gib "
            f"({view.config.storage.low_space_gib}), so uploads are refused.",
        )


def _garage(view: View) -> Planned:
    yield from view.artifact(STEP, "garage", "S3 on this machine")
    for name in SECRETS:
        yield from view.secret(STEP, name, "Garage's own", made=True, restarts=(units.GARAGE,))
    folder = view.config.storage.garage_folder
    text = render("garage.toml.j2", folder=folder, region=view.config.storage.region)
    restarts = (units.GARAGE,)
    yield from view.file(STEP, CONFIG, text, "loopback only", restarts=restarts)
    lines = [credential_line(view.facts, name) for name in SECRETS]
    drop_in = "\n".join(["# Written by `appliance configure`.", "[Service]",
                         f"ReadWritePaths={folder}", *lines, ""])  # fmt: skip
    yield from view.file(
        STEP, units.drop_in(units.GARAGE), drop_in, "its secrets", restarts=restarts
    )
    if "garage" not in view.state.done and not view.offline:
        yield SetUpGarage(
            step=STEP, reason="bucket and key of the application", capacity=_capacity(view),
            bucket=view.config.storage.bucket,
        )  # fmt: skip


def _capacity(view: View) -> int:
    """Return how many bytes Garage may use: nine tenths of the free space, or the quota if smaller.

    Raises PlanError if neither a disk nor a quota is known.
    """
    quota = view.config.storage.quota_gib
    disk = disk_of(view.facts, str(view.config.storage.garage_folder))
    if disk is None:
        if quota is None:
            raise PlanError(
                "No disk was found, so the space for Garage is unknown.",
                "Set storage.quota_gib.",
            )
        return quota * GIB
    room = disk.free * 9 // 10
    return min(room, quota * GIB) if quota else room


def disk_of(facts: Facts, folder: str) -> Disk | None:
    """Return the file system that holds `folder`: the one with the longest mount point above it."""
    inside = [disk for disk in facts.disks if f"{folder}/".startswith(f"{disk.mount.rstrip('/')}/")]
    return max(inside, key=lambda disk: len(disk.mount), default=None)
