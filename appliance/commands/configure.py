"""`appliance configure`: change the machine to match its configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from appliance.boot.machine import refuse_on_image
from appliance.commands.dialogue import ask
from appliance.config import ApplianceConfig, load
from appliance.config.flags import named_flags, with_flags, with_options
from appliance.config.load import PATH
from appliance.configure.apply import exclusive_lock
from appliance.configure.parts import admin
from appliance.configure.parts.build import Plan
from appliance.configure.preflight import check
from appliance.configure.run import ConfigureRun
from appliance.install import venv
from appliance.install.target import Target
from appliance.machine.facts import gather
from appliance.secrets import input as secret_input
from appliance.secrets import store


@click.command()
@with_options
@click.option(
    "--password",
    metavar="PASSWORD",
    help="The administrator's password. Better use --password-file.",
)
@click.option(
    "--password-file", metavar="FILE", help="File whose first line it is; - reads standard input."
)
@click.option(
    "--secret", "secret_files", multiple=True, metavar="NAME=FILE", help="A key, like LLM_API_KEY."
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with speech models, for example on a USB stick.",
)
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with the files that would be downloaded.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    help="Configure this tree instead of this machine.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan with diffs, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Replace files even if they were edited by hand.")
def configure(
    password: str | None,
    password_file: str | None,
    secret_files: tuple[str, ...],
    models: Path | None,
    artifacts: Path | None,
    root: Path,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    force: bool,
    **flags: Any,
) -> None:
    """Make this machine what /etc/reflector/appliance.toml and the flags say.

    What flags say is written into the file. Without flags on a terminal it asks. A second run changes
    nothing; a login is never turned off, a password never reset, and a file that you edited stays.
    """
    file = root / str(PATH).lstrip("/")
    facts = gather()
    if flags["build"] and not dry_run:
        refuse_on_image("--build")
        with exclusive_lock(root):
            venv.install(Target(root, click.echo), None, None, bool(facts.cards))
    config = with_flags(load(file), flags)
    handed = secret_input.from_credentials() | secret_input.from_files(secret_files)
    if password or password_file:
        handed[admin.PASSWORD] = password or secret_input.read(password_file or "", "password")
    talks = sys.stdin.isatty() and not (yes or as_json or dry_run)
    if talks and not named_flags(flags) and _wants_to_be_asked(file):
        config = ask(facts, config)
    if talks and _needs_password(config, root, handed):
        handed[admin.PASSWORD] = secret_input.ask_password(config.access.admin)
    wanted = ConfigureRun(facts, config, root, handed, models, artifacts, force)
    view = wanted.view()
    plan = wanted.plan(view)
    _show(plan, as_json, diffs=dry_run)
    if dry_run or not plan.changes:
        return
    if talks and not click.confirm("Make these changes?", default=True):
        return
    if not wanted.offline:
        check(view)
    wanted.execute(plan, (lambda line: None) if as_json else click.echo)


def _wants_to_be_asked(file: Path) -> bool:
    """Decide whether to ask: a configured machine is made as it should be; its questions are asked again on
    demand."""
    return not file.is_file() or click.confirm("Change the configuration?", default=False)


def _needs_password(config: ApplianceConfig, root: Path, handed: dict[str, str]) -> bool:
    there = admin.HASH in store.names(root) or admin.PASSWORD in handed
    return not config.access.public and not there and root == Path("/")


def _show(plan: Plan, as_json: bool, diffs: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan.as_json(), indent=2))
        return
    for note in plan.notes:
        click.secho(f"note: {note.text}", fg="yellow")
        if note.diff:
            click.echo(note.diff)
    if not plan.changes:
        click.echo("Nothing to change.")
        return
    for change in plan.changes:
        click.echo(f"  {change.title()}  ({change.reason})")
        if diffs and change.difference():
            click.echo(change.difference())
