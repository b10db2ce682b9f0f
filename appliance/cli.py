"""The `appliance` command."""

from __future__ import annotations

from importlib.metadata import version

import click

from appliance.commands.facts import facts


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("reflector-appliance"), prog_name="appliance")
def main() -> None:
    """Prepares, configures and looks after a machine that runs Reflector.

    So far it tells what it finds: this version runs from a checkout, with `make demo` and `make run`.
    """


main.add_command(facts)
