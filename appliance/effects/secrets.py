"""Secrets: made, sealed, opened."""

from __future__ import annotations

import secrets
from pathlib import Path

from appliance import application
from appliance.effects.durable import write_durably
from appliance.effects.machine import Machine, apply
from appliance.errors import ApplianceError
from appliance.facts.model import Facts, Sealing
from appliance.plan.changes import KeepPassword, KeepSecret, MakeSecret
from appliance.run import run
from appliance.secrets import FOLDER, path_of
from appliance.steps.admin import HASH

# systemd binds a sealed secret to a name; the speech service's key has a name for each of its users
ANY_NAME = "--name="


@apply.register
def _(change: MakeSecret, machine: Machine) -> None:
    keep(machine, change.name, secrets.token_hex(change.length), change.restarts)


@apply.register
def _(change: KeepSecret, machine: Machine) -> None:
    keep(machine, change.name, change.value, change.restarts)


@apply.register
def _(change: KeepPassword, machine: Machine) -> None:
    hashed = application.hash_password(change.password, machine.root)
    keep(machine, HASH, hashed, change.restarts)


def keep(machine: Machine, name: str, value: str, restarts: tuple[str, ...]) -> None:
    """Seal and write it, readable by root alone."""
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


def reveal(facts: Facts, name: str) -> str | None:
    """The secret itself, for a check before a change; None where there is none."""
    path = Path(path_of(facts, name))
    if not path.is_file():
        return None
    if facts.sealing is Sealing.FILE:
        return path.read_text()
    try:
        return run(["systemd-creds", "decrypt", ANY_NAME, path, "-"]).output
    except ApplianceError as error:
        raise ApplianceError(
            f"The secret {name} cannot be opened: {error.message}",
            f"It was sealed for another machine: give it again with `appliance secrets set {name}`.",
        ) from error


def names(root: Path) -> frozenset[str]:
    """Those that are kept."""
    folder = root / FOLDER.lstrip("/")
    found = folder.iterdir() if folder.is_dir() else []
    return frozenset(path.name.removesuffix(".cred") for path in found if path.name[0] != ".")
