"""`appliance admin`: the accounts of people who log in with a password."""

from __future__ import annotations

import click

from appliance import application, given
from appliance.config import load
from appliance.errors import ConfigError
from appliance.facts import gather
from appliance.steps.admin import MINIMUM

SECRETS = ["SECRET_KEY"]


@click.group()
def admin() -> None:
    """Accounts."""


@admin.command("set-password")
@click.argument("email", required=False)
@click.option(
    "--password-file",
    metavar="FILE",
    help="Its first line; - is standard input. Default: it is asked for.",
)
def set_password(email: str | None, password_file: str | None) -> None:
    """Change the password of EMAIL, by default the administrator's; its sessions end."""
    who = email or load().access.admin
    password = given.read(password_file, "password") if password_file else given.ask_password(who)
    if len(password) < MINIMUM:
        raise ConfigError(
            f"The password has {len(password)} characters, and {MINIMUM} are the least.",
            "Choose a longer one.",
        )
    arguments = ("admin", "set-password", who, "--password-file", "-")
    click.echo(application.ask(gather(), SECRETS, *arguments, stdin=password).strip())


@admin.command("create")
@click.argument("email")
@click.option(
    "--password-file",
    metavar="FILE",
    help="Its first line; - is standard input. Default: it is asked for.",
)
def create(email: str, password_file: str | None) -> None:
    """Make an account for EMAIL."""
    password = given.read(password_file, "password") if password_file else given.ask_password(email)
    arguments = ("admin", "create", email, "--password-file", "-")
    click.echo(application.ask(gather(), SECRETS, *arguments, stdin=password).strip())


@admin.command("list")
def list_() -> None:
    """Show the accounts."""
    click.echo(application.ask(gather(), SECRETS, "admin", "list").strip())
