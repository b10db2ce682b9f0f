"""`appliance slot`: commands for the units of an image at each start."""

from __future__ import annotations

import click

from appliance.boot import start


@click.group(hidden=True)
def slot() -> None:
    """Do the work of an image's units at each start."""


@slot.command()
def begin() -> None:
    """Record what became of the previous version, and save the database for it."""
    start.begin(click.echo)


@slot.command()
def prove() -> None:
    """Wait until this version has shown that it works."""
    start.prove(click.echo)


@slot.command()
@click.argument("reason")
def failed(reason: str) -> None:
    """Record why this start failed."""
    start.record(reason)
