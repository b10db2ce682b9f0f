"""The `appliance` command."""

from __future__ import annotations

import sys
from importlib.metadata import version

import click

from appliance.commands.configure import configure
from appliance.commands.facts import facts
from appliance.commands.fetch import fetch
from appliance.commands.install import install, uninstall
from appliance.commands.plan import plan
from appliance.commands.validate import validate
from appliance.errors import ApplianceError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("reflector-appliance"), prog_name="appliance")
def cli() -> None:
    """Prepares, configures and looks after a machine that runs Reflector.

    `install` puts the system on it, `configure` makes it work.
    """


cli.add_command(configure)
cli.add_command(facts)
cli.add_command(fetch)
cli.add_command(install)
cli.add_command(plan)
cli.add_command(uninstall)
cli.add_command(validate)


def main() -> None:
    """Errors are sentences; their classes have the exit code."""
    try:
        cli()
    except ApplianceError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
