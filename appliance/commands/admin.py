"""`appliance admin`: the accounts of people who log in with a password."""

from __future__ import annotations

import click

from appliance import application
from appliance.config import load
from appliance.errors import ConfigError
from appliance.machine.facts import gather
from appliance.secrets import input as secret_input
from reflector.accounts.strength import weakness

SECRETS = ["SECRET_KEY"]


@click.group()
def admin() -> None:
    """Manage accounts."""


@admin.command("set-password")
@click.argument("email", required=False)
@click.option(
    "--password-file",
    metavar="FILE",
    help="File whose first line it is; - reads standard input. Default: ask for it.",
)
def set_password(email: str | None, password_file: str | None) -> None:
    """Change the password of EMAIL, by default the administrator's; its sessions end."""
    who = email or load().access.admin
    password = (
        secret_input.read(password_file, "password")
        if password_file
        else secret_input.ask_password(who)
    )
    if problem := weakness(password, who):
        raise ConfigError(problem, "Choose another one.")
    _pass_on("set-password", who, "--password-file", "-", stdin=password)


@admin.command("create")
@click.argument("email")
@click.option(
    "--password-file",
    metavar="FILE",
    help="File whose first line it is; - reads standard input. Default: ask for it.",
)
def create(email: str, password_file: str | None) -> None:
    """Make an account for EMAIL."""
    password = (
        secret_input.read(password_file, "password")
        if password_file
        else secret_input.ask_password(email)
    )
    _pass_on("create", email, "--password-file", "-", stdin=password)


@admin.command()
@click.argument("account")
def disable(account: str) -> None:
    """Keep somebody out; recordings stay. ACCOUNT is an e-mail or id."""
    _pass_on("disable", account)


@admin.command()
@click.argument("account")
def enable(account: str) -> None:
    """Let a disabled account in again."""
    _pass_on("enable", account)


@admin.command("sign-out")
@click.argument("account")
def sign_out(account: str) -> None:
    """End all sessions and login tokens of an account."""
    _pass_on("sign-out", account)


@admin.command()
@click.argument("account")
@click.option("--give-to", metavar="ACCOUNT", help="Account that gets its recordings and rooms.")
def remove(account: str, give_to: str | None) -> None:
    """Remove an account with its sessions and API keys."""
    _pass_on("remove", account, *(["--give-to", give_to] if give_to else []))


@admin.command("list")
def list_() -> None:
    """Show the accounts."""
    _pass_on("list")


def _pass_on(*arguments: str, stdin: str = "") -> None:
    click.echo(application.ask(gather(), SECRETS, "admin", *arguments, stdin=stdin).strip())
