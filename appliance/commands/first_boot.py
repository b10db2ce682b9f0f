"""`appliance first-boot` and `appliance console`: write what an image shows on its screen."""

from __future__ import annotations

import click

from appliance.boot.machine import image_version
from appliance.commands.dialogue import ask
from appliance.config.model import ApplianceConfig
from appliance.errors import ConfigError
from appliance.firstboot import console as screen
from appliance.firstboot.flow import first_boot as run
from appliance.firstboot.page import Filled
from appliance.machine.facts.model import Facts
from appliance.secrets import input as secret_input


@click.command("first-boot", hidden=True)
def first_boot() -> None:
    """Configure a new machine: from prepared answers, at this console, or on the setup page."""
    run(click.echo, _ask)


@click.command()
def console() -> None:
    """Write what the console shows above its login: addresses, fingerprint, health.

    On a machine made from an image, certificate and links follow a new address.
    """
    if image_version() is not None:
        screen.follow_address(click.echo)
    screen.write()


def _ask(facts: Facts, config: ApplianceConfig) -> Filled:
    """Ask the questions; start over if the answers cannot be used or somebody presses Ctrl-C."""
    while True:
        try:
            config = ask(facts, config)
            return Filled(config, secret_input.ask_password(config.access.admin))
        except (ConfigError, click.Abort) as error:
            click.echo(str(error) or "Once more.")
