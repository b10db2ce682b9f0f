"""Create secrets, and seal them."""

from __future__ import annotations

import secrets

from appliance import application
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.parts.admin import HASH
from appliance.configure.plan.changes import KeepPassword, KeepSecret, MakeSecret
from appliance.machine.durable import write_durably
from appliance.machine.facts.model import Sealing
from appliance.machine.run import run
from appliance.secrets.store import ANY_NAME, path_of


@apply.register
def make_secret(change: MakeSecret, machine: Machine) -> None:
    keep(machine, change.name, secrets.token_hex(change.length), change.restarts)


@apply.register
def keep_secret(change: KeepSecret, machine: Machine) -> None:
    keep(machine, change.name, change.value, change.restarts)


@apply.register
def keep_password(change: KeepPassword, machine: Machine) -> None:
    hashed = application.hash_password(change.password, machine.root)
    keep(machine, HASH, hashed, change.restarts)


def keep(machine: Machine, name: str, value: str, restarts: tuple[str, ...]) -> None:
    """Seal the secret, write it for root only, and note the units that have to restart."""
    machine.ledger.wait_for(restarts)
    sealing = machine.facts.sealing
    sealed = value if sealing is Sealing.FILE else _seal(value, sealing)
    path = machine.path(path_of(machine.facts, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    write_durably(path, sealed, mode=0o600)


def _seal(value: str, sealing: Sealing) -> str:
    command = ["systemd-creds", "encrypt", f"--with-key={sealing.value}", ANY_NAME, "-", "-"]
    return run(command, stdin=value).output
