"""`appliance update`: install newer versions of an image."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from appliance.boot.history import History, Outcome
from appliance.boot.machine import running
from appliance.commands.view import ROOT
from appliance.config import load
from appliance.configure.apply import exclusive_lock
from appliance.errors import CheckError
from appliance.log import logged
from appliance.machine.run import run
from appliance.update import steps
from appliance.update.source import chosen

FROM = click.option(
    "--from", "wanted", metavar="URL|DIR",
    help="Folder with SHA256SUMS. Default: update.source, else a USB stick labelled REFLECTOR.",
)  # fmt: skip
REBOOT = click.option("--reboot", is_flag=True, help="Restart into it at once.")
MARKS = {
    Outcome.WAITING: "yellow",
    Outcome.PROVEN: "green",
    Outcome.FAILED: "red",
    Outcome.LEFT: None,
}


@click.group()
def update() -> None:
    """Update this machine. A version that does not work is rolled back automatically."""


@update.command()
@FROM
@click.option("--json", "as_json", is_flag=True, help="As data.")
def check(wanted: str | None, as_json: bool) -> None:
    """Look whether there is a newer version. Nothing is changed."""
    with chosen(wanted, _configured()) as source:
        found = steps.look(source)
    newer = found.offer.version if found.offer else None
    if as_json:
        event = asdict(found.event) if found.event else None
        click.echo(json.dumps({"running": found.now.version, "newer": newer, "before": event}))
    elif newer is None:
        click.echo(f"{found.now.version} is the newest.")
    else:
        click.echo(f"{newer} is newer than {found.now.version}: `appliance update apply`.")
        if found.event:
            click.echo(f"It was installed before: {found.event.sentence}.")


@update.command("apply")
@FROM
@click.option("--version", metavar="VERSION", help="Version to install. Default: the newest.")
@click.option("--again", is_flag=True, help="Accept a version that failed on this machine before.")
@REBOOT
def apply_(wanted: str | None, version: str | None, again: bool, reboot: bool) -> None:
    """Write a newer version into the slot that does not run; the next start tries it.

    Where it does not work it is tried twice more, and then this version starts again.
    """
    _only_root()
    with (
        exclusive_lock(ROOT),
        logged(ROOT, click.echo) as say,
        chosen(wanted, _configured()) as source,
    ):
        installed = steps.apply(source, version, again, say)
        if installed is None:
            say(f"{running().version} is the newest.")
        else:
            say(f"{installed} starts next.")
    if installed is not None:
        _start(reboot)


@update.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@REBOOT
def rollback(yes: bool, reboot: bool) -> None:
    """Go back to the version before, from the next start on."""
    _only_root()
    if not yes:
        click.confirm(f"Go back from {running().version} to the previous version?", abort=True)
    with exclusive_lock(ROOT), logged(ROOT, click.echo) as say:
        say(f"{steps.rollback()} starts next.")
    _start(reboot)


@update.command()
@click.option("--json", "as_json", is_flag=True, help="As data.")
def history(as_json: bool) -> None:
    """Show which versions this machine was given, and what became of them."""
    now, events = running(), History().events()
    if as_json:
        rows = [asdict(event) for event in events]
        body = {"running": now.version, "trial": not now.blessing.is_proven, "events": rows}
        click.echo(json.dumps(body, indent=2))
        return
    for event in events:
        mark = click.style(f"{event.outcome:<8}", fg=MARKS[event.outcome])
        runs = "  runs now" if event.version == now.version else ""
        click.echo(f"  {event.came}  {mark}  {event.sentence}{runs}")


def _configured() -> str | None:
    source = load().update.source
    return str(source) if source else None


def _only_root() -> None:
    if os.geteuid():
        raise CheckError("Only root can change this machine.", "Run it with sudo.")


def _start(reboot: bool) -> None:
    if reboot:
        run(["systemctl", "reboot"])
    else:
        click.echo("Restart with `systemctl reboot` to use it. Work in progress is resumed.")
