"""`appliance slot`: commands for the units of an image at each start."""

from __future__ import annotations

import click

from appliance.boot import start


@click.group(hidden=True)
def slot() -> None:
    """For the units of an image."""


@slot.command()
def begin() -> None:
    """See what became of the version before, and keep the database for it."""
    start.begin(click.echo)


@slot.command()
def prove() -> None:
    """Wait until this version has shown that it works."""
    start.prove(click.echo)


@slot.command()
@click.argument("reason")
def failed(reason: str) -> None:
    """Write down why this start was none."""
    start.record(reason)
