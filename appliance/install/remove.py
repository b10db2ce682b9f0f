"""Remove the system from a machine."""

from __future__ import annotations

import json
import shutil

from appliance.config import load
from appliance.errors import CommandError
from appliance.install.system import MANIFEST
from appliance.install.target import Target
from appliance.machine import units
from appliance.machine.ledger import Ledger
from appliance.machine.run import run
from appliance.machine.state import read_state

DATA = ["/var/lib/reflector", "/var/lib/garage", "/var/lib/ollama", "/var/lib/reflector-appliance",
        "/etc/reflector", "/var/cache/reflector", "/var/cache/reflector-appliance"]  # fmt: skip
OURS = [units.CADDY, units.GARAGE, units.OLLAMA, units.FIREWALL]


def remove(target: Target) -> None:
    """Stop the units, then remove all files that the appliance installed."""
    state = read_state(target.root, load())
    services = [*units.APPLICATION, units.API_SOCKET, *OURS]
    services += [units.broker(state.broker)] if state.broker else []
    services += [units.postgresql(state.postgresql)] if state.postgresql else []
    for unit in [units.TARGET, *services]:
        run(["systemctl", "disable", "--now", unit], check=False, seconds=300)
    ledger = Ledger(target.root)
    for path in ledger.written:
        if path.startswith("/etc/systemd/") or path.startswith("/usr/local/share/ca-certificates/"):
            target.path(path).unlink(missing_ok=True)
            ledger.has_written(path, None)
    manifest = target.path(MANIFEST)
    if manifest.is_file():
        for path in json.loads(manifest.read_text()):
            target.path(path).unlink(missing_ok=True)
    shutil.rmtree("/usr/lib/reflector", ignore_errors=True)
    run(["systemctl", "daemon-reload"])
    target.did(
        "Reflector was removed. /var/lib/reflector, the database and /etc/reflector are still there."
    )


def purge(target: Target) -> None:
    """Delete the data too. This cannot be undone."""
    config = load()
    state = read_state(target.root, config)
    for folder in {str(config.storage.folder), str(config.storage.garage_folder), *DATA}:
        shutil.rmtree(target.path(folder), ignore_errors=True)
    for cluster in sorted(state.clusters):
        version, _, name = cluster.partition("-")
        if name == "reflector":
            try:
                run(["pg_dropcluster", "--stop", version, name], seconds=120)
            except CommandError as error:
                target.say(f"note: {error.message}")
    target.did("Recordings, database, secrets and configuration were deleted.")
