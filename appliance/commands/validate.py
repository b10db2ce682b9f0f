"""`appliance validate`: check a configuration before a machine has it."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.config import PATH, load
from appliance.errors import ConfigError


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=PATH)
def validate(file: Path) -> None:
    """Check FILE, by default /etc/reflector/appliance.toml: unknown keys, wrong values."""
    if not file.is_file():
        raise ConfigError(f"{file} does not exist.", "Give a file.")
    load(file)
    click.echo(f"{file} is valid.")
