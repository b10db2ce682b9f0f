"""`appliance import-env`: take over the reference's settings."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.config import load
from appliance.config.imported import imported, parse
from appliance.config.load import PATH
from appliance.configure import environment
from appliance.configure.apply import exclusive_lock, execute
from appliance.configure.effects.machine import Machine
from appliance.configure.plan.changes import Change, KeepSecret, WriteFile
from appliance.configure.run import configuration_change
from appliance.errors import ConfigError
from appliance.machine import units
from appliance.machine.facts import gather
from appliance.machine.ledger import Ledger

STEP = "import"


@click.command("import-env")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would be imported, and change nothing.")
def import_env(file: Path, dry_run: bool) -> None:
    """Take over the settings of Monadical's Reflector from its server/.env.

    What this machine decides for itself is left out. Secrets become credentials; what only the
    application knows goes into /etc/reflector/local.env. `appliance configure` makes it so.
    """
    try:
        values = parse(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.", "Name its server/.env.") from error
    found = imported(values, load())
    changes: list[Change] = []
    if change := configuration_change(PATH, found.config):
        changes.append(change)
    settings = dict(found.settings)
    if values.get("AUTH_BACKEND") == "jwt":
        settings["AUTH_BACKEND"] = "jwt"
    if settings:
        own = Path(environment.LOCAL)
        before = own.read_text() if own.is_file() else None
        changes.append(
            WriteFile(
                step=STEP,
                reason="only the application knows this setting",
                path=environment.LOCAL,
                text=environment.render(settings, environment.LOCAL_HEADER),
                before=before,
                mode=0o640,
                owner="root:reflector",
            )
        )
    changes += [
        KeepSecret(
            step=STEP, reason="was in the file", name=name, value=value, restarts=units.APPLICATION
        )
        for name, value in sorted(found.secrets.items())
    ]
    for remark in found.remarks:
        click.secho(f"note: {remark}", fg="yellow")
    for each in changes:
        click.echo(f"  {each.title()}")
        click.echo(each.difference())
    if dry_run:
        return
    with exclusive_lock(Path("/")):
        execute(changes, Machine(Path("/"), gather(), Ledger(Path("/")), say=click.echo))
    click.echo("Next: appliance configure")
