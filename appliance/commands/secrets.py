"""`appliance secrets`: what is kept, set anew, rotated."""

from __future__ import annotations

import secrets as random
from pathlib import Path

import click

from appliance import given, units
from appliance.apply import alone
from appliance.effects import secrets
from appliance.effects.ledger import Ledger
from appliance.effects.machine import Machine
from appliance.effects.units import restart_waiting
from appliance.errors import ConfigError
from appliance.facts import gather
from appliance.steps.application import SPEECH_KEY

ROOT = Path("/")
MADE = ("SECRET_KEY", SPEECH_KEY)
LENGTH = 32


@click.group("secrets")
def secrets_() -> None:
    """Keys and passwords of this machine. Their values are never shown."""


@secrets_.command("list")
def list_() -> None:
    """Names of the secrets that are kept."""
    sealing = gather().sealing
    for name in sorted(secrets.names(ROOT)):
        click.echo(f"{name}  ({sealing.described})")


@secrets_.command("set")
@click.argument("name", type=click.Choice(given.NAMES))
@click.option(
    "--file", metavar="FILE", help="Its first line; - is standard input. Default: it is asked for."
)
def set_(name: str, file: str | None) -> None:
    """Keep another value of NAME, and start again what uses it."""
    value = given.read(file, name) if file else str(click.prompt(name, hide_input=True))
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
        click.confirm("All logins will end, and all API keys. Go on?", abort=True)
    if name not in secrets.names(ROOT):
        raise ConfigError(f"There is no secret {name} yet.", "Run `appliance configure` first.")
    _keep(name, random.token_hex(LENGTH))


def _keep(name: str, value: str) -> None:
    machine = Machine(ROOT, gather(), Ledger(ROOT), say=click.echo)
    with alone(ROOT):
        secrets.keep(machine, name, value, units.APPLICATION)
        restart_waiting(machine)
    click.echo(
        f"{name} is another one now. New ones reach units that `appliance configure` gave them to."
    )
