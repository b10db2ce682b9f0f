"""`appliance image validate` and `inject`: prepare the answers for a first start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.configure.parts.admin import PASSWORD
from appliance.image.answers import Prepared
from appliance.secrets import input as secret_input

Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS = [
    click.argument("toml", type=click.Path(path_type=Path)),
    click.option("--password-file", metavar="FILE", help="File whose first line is the administrator's password."),
    click.option("--secret", "secret_files", multiple=True, metavar="NAME=FILE", help="A key, like HF_TOKEN."),
    click.option(
        "--models", type=click.Path(path_type=Path, exists=True, file_okay=False), help="A folder with speech models."
    ),
]  # fmt: skip


def with_answers(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@with_answers
def validate(toml: Path, **others: Any) -> None:
    """Check the answers for a machine's first start, before it has them."""
    _prepared(toml, **others)
    click.echo(f"{toml} is valid.")


@click.command()
@click.argument(
    "disk", metavar="IMAGE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@with_answers
def inject(disk: Path, toml: Path, **others: Any) -> None:
    """Write the answers for the first start into an image: whoever starts it is asked nothing.

    Password and secrets lie there readable until the machine has taken them over.
    """
    _prepared(toml, **others).inject(disk)
    click.echo(f"{disk} has the answers of {toml}.")


def _prepared(
    toml: Path, password_file: str | None, secret_files: tuple[str, ...], models: Path | None
) -> Prepared:
    handed = secret_input.from_files(secret_files)
    if password_file:
        handed[PASSWORD] = secret_input.read(password_file, "password")
    found = Prepared(toml, handed, models)
    for remark in found.check():
        click.secho(f"note: {remark}", fg="yellow")
    return found
