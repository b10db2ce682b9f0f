"""Define the `appliance` command."""

from __future__ import annotations

import sys
from importlib.metadata import version

import click

from appliance.commands.admin import admin
from appliance.commands.configure import configure
from appliance.commands.disks import factory_reset, install_to_disk, recovery_key
from appliance.commands.facts import facts
from appliance.commands.fetch import fetch
from appliance.commands.first_boot import console, first_boot
from appliance.commands.image import image
from appliance.commands.import_env import import_env
from appliance.commands.install import install, uninstall
from appliance.commands.logs import logs
from appliance.commands.models import llm, models
from appliance.commands.plan import plan
from appliance.commands.secrets import secrets_
from appliance.commands.slot import slot
from appliance.commands.status import doctor, status
from appliance.commands.update import update
from appliance.commands.validate import validate
from appliance.errors import ApplianceError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("reflector-appliance"), prog_name="appliance")
def cli() -> None:
    """Prepare, configure and look after a machine that runs Reflector.

    `install` puts the system on it, `configure` makes it work.
    """


COMMANDS: list[click.Command] = [
    install, configure, status, doctor, logs, admin, secrets_, models, llm, facts, plan, validate, import_env,
    fetch, image, update, slot, first_boot, console, install_to_disk, factory_reset, recovery_key,
    uninstall,
]  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command. Print an error as a sentence, and exit with the code of its class."""
    try:
        cli()
    except ApplianceError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
