"""`appliance secrets`: list, set and rotate secrets."""

from __future__ import annotations

import secrets as random
from pathlib import Path

import click

from appliance.configure.apply import exclusive_lock
from appliance.configure.effects import secrets
from appliance.configure.effects.machine import Machine
from appliance.configure.effects.units import restart_waiting
from appliance.configure.parts.application import SPEECH_KEY
from appliance.errors import ConfigError
from appliance.machine import units
from appliance.machine.facts import gather
from appliance.machine.ledger import Ledger
from appliance.secrets import input as secret_input
from appliance.secrets import store

ROOT = Path("/")
MADE = ("SECRET_KEY", SPEECH_KEY)
LENGTH = 32


@click.group("secrets")
def secrets_() -> None:
    """Manage keys and passwords of this machine. Their values are never shown."""


@secrets_.command("list")
def list_() -> None:
    """List the names of the stored secrets."""
    sealing = gather().sealing
    for name in sorted(store.names(ROOT)):
        click.echo(f"{name}  ({sealing.described})")


@secrets_.command("set")
@click.argument("name", type=click.Choice(secret_input.NAMES))
@click.option(
    "--file",
    metavar="FILE",
    help="File whose first line it is; - reads standard input. Default: ask for it.",
)
def set_(name: str, file: str | None) -> None:
    """Keep another value of NAME, and start again what uses it."""
    value = secret_input.read(file, name) if file else str(click.prompt(name, hide_input=True))
    _keep(name, value)


@secrets_.command()
@click.argument("name", type=click.Choice(MADE))
@click.option("--yes", is_flag=True, help="Do not ask.")
def rotate(name: str, yes: bool) -> None:
    """Make NAME anew, and start again what uses it.

    With another SECRET_KEY all logins end, and links to audio that were given out do not work any more.
    API keys have to be made anew.
    """
    if name == "SECRET_KEY" and not yes:
        click.confirm("All logins and API keys will stop working. Continue?", abort=True)
    if name not in store.names(ROOT):
        raise ConfigError(f"There is no secret {name} yet.", "Run `appliance configure` first.")
    _keep(name, random.token_hex(LENGTH))


def _keep(name: str, value: str) -> None:
    machine = Machine(ROOT, gather(), Ledger(ROOT), say=click.echo)
    with exclusive_lock(ROOT):
        secrets.keep(machine, name, value, units.APPLICATION)
        restart_waiting(machine)
    click.echo(
        f"{name} was changed. Run `appliance configure` to give it to the units that use it."
    )
