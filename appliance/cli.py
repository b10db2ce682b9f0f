"""The `appliance` command."""

from __future__ import annotations

from importlib.metadata import version

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("reflector-appliance"), prog_name="appliance")
def main() -> None:
    """Prepares, configures and looks after a machine that runs Reflector.

    It has no commands yet: this version runs from a checkout, with `make demo` and `make run`.
    """
