"""Manage accounts from the command line: `reflector admin`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts import users
from reflector.db.engine import Database
from reflector.db.models import User
from reflector.errors import InvalidInput
from reflector.runtime import settings

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def admin() -> None:
    """Manage accounts for AUTH_BACKEND=password."""


def password_options(command: Command) -> Command:
    """Add the option `--password-file` to a command.

    A password comes from the terminal, a file or a pipe. It never comes from the command line,
    which every user of the machine can read.
    """
    return click.option(
        "--password-file",
        type=click.File("r"),
        help="Read the password's first line from this file; - is standard input.",
    )(command)


@admin.command()
@click.argument("email")
@click.option("--admin", "is_admin", is_flag=True, help="Make it an administrator.")
@password_options
def create(email: str, password_file: IO[str] | None, is_admin: bool) -> None:
    """Create an account."""
    hashed = users.checked_hash(_password(password_file), email)
    with _database() as db, db.write() as session:
        user = users.create(session, email, hashed)
        user.is_administrator = is_admin
    click.echo(f"Made the account {user.email}.")
    _mention_backend()


@admin.command("set-password")
@click.argument("email")
@password_options
def set_password(email: str, password_file: IO[str] | None) -> None:
    """Change a password. This ends the account's sessions and removes its API keys."""
    hashed = users.checked_hash(_password(password_file), email)
    with _database() as db, db.write() as session:
        user = users.set_password(session, email, hashed)
    click.echo(
        f"Changed the password of {user.email}; its sessions have ended and its API keys are removed."
    )


@admin.command("list")
def list_() -> None:
    """List the accounts."""
    with _database() as db, db.read() as session:
        users = session.scalars(select(User).order_by(User.created_at)).all()
    for user in users:
        kind = "password" if user.password_hash else "identity provider"
        state = "\tadministrator" if user.is_administrator else ""
        state += "\tdisabled" if user.disabled_at else ""
        click.echo(f"{user.email}\t{kind}\t{user.created_at:%Y-%m-%d}\t{user.id}{state}")
    if not users:
        click.echo("There are no accounts. Make one: reflector admin create EMAIL", err=True)


@admin.command()
@click.argument("account")
def disable(account: str) -> None:
    """Disable an account: logins and API keys are refused. ACCOUNT is an e-mail address or id."""
    with _changing(account) as (session, user):
        users.disable(session, user)
    click.echo(
        f"Disabled {user.email}. Its recordings stay; `reflector admin enable` takes it back."
    )


@admin.command()
@click.argument("account")
def enable(account: str) -> None:
    """Enable a disabled account again."""
    with _changing(account) as (_, user):
        user.disabled_at = None
    click.echo(f"Enabled {user.email}.")


@admin.command()
@click.argument("account")
def promote(account: str) -> None:
    """Make an account an administrator. ACCOUNT is an e-mail address or id."""
    with _changing(account) as (_, user):
        users.promote(user)
    click.echo(f"{user.email} is an administrator.")


@admin.command()
@click.argument("account")
def demote(account: str) -> None:
    """Make an administrator an ordinary account. The last administrator stays one."""
    with _changing(account) as (session, user):
        users.demote(session, user)
    click.echo(f"{user.email} is no administrator.")


@admin.command("sign-out")
@click.argument("account")
def sign_out(account: str) -> None:
    """End all sessions and login tokens of an account."""
    with _changing(account) as (session, user):
        count = users.sign_out(session, user)
    click.echo(f"Signed {user.email} out of {count} browsers; its login tokens have ended, too.")


@admin.command()
@click.argument("account")
@click.option("--give-to", metavar="ACCOUNT", help="Who gets its recordings and rooms.")
def remove(account: str, give_to: str | None) -> None:
    """Remove an account with its sessions and API keys."""
    with _changing(account) as (session, user):
        heir = users.named(session, give_to) if give_to else None
        users.remove(session, user, heir)
    click.echo(f"Removed {user.email}.")
    if users.same_email(settings.load().ADMIN_EMAIL or "") == user.email:
        click.echo(
            "ADMIN_EMAIL names it: with that setting the next start makes it again.", err=True
        )


@admin.command("hash")
@password_options
def hash_(password_file: IO[str] | None) -> None:
    """Print the hash of a password, for ADMIN_PASSWORD_HASH."""
    click.echo(users.checked_hash(_password(password_file)))


def _password(file: IO[str] | None) -> str:
    if file is not None:
        return file.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput(
            "There is no terminal to type a password at.",
            "Give it with --password-file FILE, or --password-file - for standard input.",
        )
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@contextmanager
def _changing(account: str) -> Iterator[tuple[Session, User]]:
    """Yield the account with this e-mail address or id, and a session to change it in."""
    with _database() as db, db.write() as session:
        yield session, users.named(session, account)


@contextmanager
def _database() -> Iterator[Database]:
    db = Database(settings.load().database_url)
    db.migrate()
    try:
        yield db
    finally:
        db.close()


def _mention_backend() -> None:
    if settings.load().AUTH_BACKEND != "password":
        click.echo("It is used once AUTH_BACKEND=password is set.", err=True)
