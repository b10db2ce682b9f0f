"""`appliance configure`: makes the machine what the configuration says."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from appliance import health
from appliance.apply import alone, carry_out
from appliance.checks import check
from appliance.commands import given
from appliance.commands.authorities import authorities
from appliance.commands.dialogue import ask
from appliance.config import ApplianceConfig, load
from appliance.config.flags import named_flags, with_flags, with_options
from appliance.config.load import PATH
from appliance.config.save import with_config
from appliance.effects import secrets
from appliance.effects.ledger import Ledger
from appliance.effects.machine import Machine
from appliance.environment import public_url
from appliance.errors import ConfigError
from appliance.facts import Facts, gather
from appliance.here import offered, read_state
from appliance.install import environment
from appliance.install.target import Target
from appliance.log import logged
from appliance.placement import place
from appliance.plan.changes import WriteFile
from appliance.plan.view import View
from appliance.steps import admin
from appliance.steps.build import Plan, build


@click.command()
@with_options
@click.option(
    "--password", metavar="PASSWORD", help="The administrator's; better with --password-file."
)
@click.option("--password-file", metavar="FILE", help="Its first line; - is standard input.")
@click.option(
    "--secret", "secret_files", multiple=True, metavar="NAME=FILE", help="A key, like LLM_API_KEY."
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with speech models, a USB stick say.",
)
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with what would be downloaded.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    help="A tree to configure instead of this machine.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and its diffs; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="The plan as data.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Replace files that were edited by hand.")
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
        with alone(root):
            environment.install(Target(root, click.echo), None, None, bool(facts.cards))
    config = with_flags(load(file), flags)
    handed = given.from_credentials() | given.from_files(secret_files)
    if password or password_file:
        handed[admin.PASSWORD] = password or given.read(password_file or "", "password")
    talks = sys.stdin.isatty() and not (yes or as_json or dry_run)
    if talks and not named_flags(flags) and _wants_to_be_asked(file):
        config = ask(facts, config)
    if talks and _needs_password(config, root, handed):
        handed[admin.PASSWORD] = given.ask_password(config.access.admin)
    view = _view(facts, config, handed, root, models, force)
    plan = _with_file(build(view), file, config)
    _show(plan, as_json, diffs=dry_run)
    if dry_run or not plan.changes:
        return
    if talks and not click.confirm("Make these changes?", default=True):
        return
    if not view.offline:
        check(view)
    echo = (lambda line: None) if as_json else click.echo
    with alone(root), logged(root, echo) as say:
        carry_out(plan.changes, Machine(root, facts, Ledger(root), artifacts, say))
        if not view.offline:
            health.wait_until_ready(say)
            say(f"Reflector is at {public_url(facts, config)}")


def _view(
    facts: Facts,
    config: ApplianceConfig,
    handed: dict[str, str],
    root: Path,
    models: Path | None,
    force: bool,
) -> View:
    state = read_state(root, config)
    offline = root != Path("/")
    return View(
        facts,
        config,
        place(facts, config),
        state,
        given={} if offline else _new(facts, handed, state.credentials),
        authorities=authorities(config),
        models=_offered(models),
        force=force,
        offline=offline,
    )


def _offered(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    found = offered(folder.absolute())
    if not found:
        raise ConfigError(
            f"There is no speech model in {folder}.",
            "Give a machine's models folder, or the folder of one model.",
        )
    return found


def _new(facts: Facts, handed: dict[str, str], kept: frozenset[str]) -> dict[str, str]:
    """Without those that the machine has already, so that a second run plans nothing."""
    return {
        name: value
        for name, value in handed.items()
        if name not in kept or secrets.reveal(facts, name) != value
    }


def _wants_to_be_asked(file: Path) -> bool:
    """A machine that is configured is made as it should be; its questions are asked again on demand."""
    return not file.is_file() or click.confirm("Change the configuration?", default=False)


def _needs_password(config: ApplianceConfig, root: Path, handed: dict[str, str]) -> bool:
    there = admin.HASH in secrets.names(root) or admin.PASSWORD in handed
    return not config.access.public and not there and root == Path("/")


def _with_file(plan: Plan, file: Path, config: ApplianceConfig) -> Plan:
    """The configuration itself comes first: a run that is cut off is gone on with from it."""
    change = configuration_change(file, config)
    return replace(plan, changes=[change, *plan.changes]) if change else plan


def configuration_change(file: Path, config: ApplianceConfig) -> WriteFile | None:
    """`appliance.toml` so that it says `config`; None where it does."""
    before = file.read_text() if file.is_file() else None
    text = with_config(before or "", config)
    if text == before:
        return None
    return WriteFile(
        step="configuration", reason="what was asked for", path=str(PATH), text=text, before=before
    )


def _show(plan: Plan, as_json: bool, diffs: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan.as_json(), indent=2))
        return
    for note in plan.notes:
        click.secho(f"note: {note.text}", fg="yellow")
        if note.diff:
            click.echo(note.diff)
    if not plan.changes:
        click.echo("Nothing has to be changed.")
        return
    for change in plan.changes:
        click.echo(f"  {change.title()}  ({change.reason})")
        if diffs and change.difference():
            click.echo(change.difference())
