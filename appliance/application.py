"""Run the application's own commands as its user, with its settings and secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.errors import ApplianceError, CommandError
from appliance.machine.facts.model import Facts
from appliance.machine.run import follow, run
from appliance.secrets.store import credential_line

PROGRAM = "/usr/lib/reflector/venv/bin/reflector"
SETTINGS = "/etc/reflector/reflector.env"
FOLDER = "/var/lib/reflector"


def hash_password(password: str, root: Path) -> str:
    """Return the hash of `password` in the form that the application stores."""
    command = [PROGRAM, "admin", "hash", "--password-file", "-"]
    return run(command, stdin=password, root=root).output.strip()


def ask(facts: Facts, secrets: list[str], *arguments: str, stdin: str = "") -> str:
    """Run `reflector` with `arguments` and the `secrets`, and return what it prints.

    Raises ApplianceError with the application's own message if the command fails.
    """
    try:
        return run([*_unit(facts, secrets), PROGRAM, *arguments], stdin=stdin, seconds=300).output
    except CommandError as error:
        raise ApplianceError(_said(error)) from error


def status_of(facts: Facts, secrets: list[str], *arguments: str) -> int:
    """Return the exit code of `reflector` with `arguments` and the `secrets`."""
    return run([*_unit(facts, secrets), PROGRAM, *arguments], check=False, seconds=300).status


def watch(
    facts: Facts, secrets: list[str], line: Callable[[str], None], *arguments: str, user: str
) -> None:
    try:
        follow([*_unit(facts, secrets, user), PROGRAM, *arguments], line)
    except CommandError as error:
        raise ApplianceError(_said(error)) from error


def _unit(facts: Facts, secrets: list[str], user: str = "reflector") -> list[str]:
    """Return the command for a transient unit that gets its secrets as the services do."""
    properties = [
        f"User={user}", f"WorkingDirectory={FOLDER}", f"EnvironmentFile={SETTINGS}",
        f"Environment=DATA_DIR={FOLDER}", "UMask=0077",
        *(credential_line(facts, name) for name in secrets),
    ]  # fmt: skip
    return [
        "systemd-run", "--quiet", "--pipe", "--wait", "--collect",
        *(f"--property={each}" for each in properties),
    ]  # fmt: skip


def _said(error: CommandError) -> str:
    """Return the application's own message, without the command around it."""
    return error.reason.removeprefix("error: ") or error.message
