"""`appliance install` and `uninstall`."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import click

from appliance.boot.machine import refuse_on_image
from appliance.configure.apply import exclusive_lock
from appliance.install import packages, preflight, system, venv
from appliance.install.manpage import manual
from appliance.install.remove import purge, remove
from appliance.install.target import Target
from appliance.log import PATH as LOG
from appliance.log import logged
from appliance.machine.facts import gather

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--root", type=FOLDER, default=Path("/"), help="Install into this tree.")
@click.option(
    "--wheels", type=FOLDER, help="Folder with all wheels, for a machine without a network."
)
@click.option(
    "--torch-index", metavar="URL", help="Index with torch, which speaker diarization needs."
)
@click.option("--cuda", is_flag=True, help="Install for an NVIDIA card, even if none is found yet.")
def install(root: Path, wheels: Path | None, torch_index: str | None, cuda: bool) -> None:
    """Put the system on this Debian: packages, users, the application, units.

    A second run changes nothing. `appliance configure` makes it work.
    """
    if root == Path("/"):
        refuse_on_image("`appliance install`")
    target = _install(root.absolute(), wheels, torch_index, cuda)
    if not target.changed:
        click.echo("Everything is installed already.")
    elif target.is_running:
        click.echo("Installed. Next: appliance configure")


def into_tree(root: Path, wheels: Path | None, torch_index: str | None, cuda: bool) -> None:
    """Install into a tree. What this run alone left on this machine, the log, is removed."""
    _install(root, wheels, torch_index, cuda)
    (root / LOG).unlink(missing_ok=True)


def _install(root: Path, wheels: Path | None, torch_index: str | None, cuda: bool) -> Target:
    facts = gather(root)
    target = Target(root, click.echo)
    for remark in preflight.check(target, facts):
        click.secho(f"note: {remark}", fg="yellow")
    with exclusive_lock(target.root), logged(target.root, click.echo) as target.say:
        packages.install(target, facts.release.version)
        has_card = bool(facts.cards) and target.is_running
        venv.install(target, wheels, torch_index, cuda or has_card)
        system.install(target, _manual())
    return target


def _manual() -> str:
    command = click.get_current_context().find_root().command
    assert isinstance(command, click.Group)
    return manual(command, version("reflector-appliance"))


@click.command()
@click.option(
    "--purge",
    "purges",
    is_flag=True,
    help="Remove recordings, database, secrets and configuration too.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(purges: bool, yes: bool) -> None:
    """Take the system off this machine; recordings, database and configuration stay.

    Debian's packages stay as well: others may use them.
    """
    refuse_on_image("`appliance uninstall`")
    target = Target(Path("/"), click.echo)
    if purges and not yes:
        click.confirm(
            "All recordings, transcripts and accounts will be deleted forever. Continue?",
            abort=True,
        )
    with exclusive_lock(target.root):
        remove(target)
        if purges:
            purge(target)
