"""Plan a second disk for what grows: recordings, models, work in progress."""

from __future__ import annotations

from appliance.configure.plan.changes import TakeDisk
from appliance.configure.plan.view import Planned, View
from appliance.errors import PlanError
from appliance.render import render

STEP = "disk"
LABEL = "reflector-data"
DONE = "data-disk"


def plan(view: View) -> Planned:
    """Raise PlanError if the machine has recordings already: they would lie under the disk, unseen."""
    disk = view.config.disk.data
    if disk is None or view.offline:
        return
    folder = str(view.config.storage.folder)
    if DONE not in view.state.done and "database" in view.state.done:
        raise PlanError(
            f"disk.data is set, but this machine already has recordings in {folder}.",
            "Only the first configuration can set up a second disk. Move the recordings to it "
            f"yourself, and mount it at {folder}.",
        )
    unit = f"{escaped(folder)}.mount"
    text = render("data.mount.j2", label=LABEL, folder=folder)
    yield from view.file(
        STEP, f"/etc/systemd/system/{unit}", text, "the second disk", restarts=(unit,)
    )
    if DONE not in view.state.done:
        yield TakeDisk(
            step=STEP,
            reason="recordings and models",
            device=str(disk),
            label=LABEL,
            unit=unit,
            folder=folder,
        )


def escaped(folder: str) -> str:
    """Return the name of a mount unit (systemd.unit(5), “String Escaping for Inclusion in Unit
    Names”)."""
    kept = "".join(
        c
        if c.isascii() and (c.isalnum() or c in "/_.:")
        else "".join(f"\\x{byte:02x}" for byte in c.encode())
        for c in folder.strip("/")
    )
    return kept.replace("/", "-")
