"""Secrets that a run is handed: from files, from systemd credentials, from a prompt. Never from the
environment, and from an argument only where the reference's installer has it there too."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from appliance.configure.parts.admin import PASSWORD
from appliance.configure.parts.application import OTHERS, S3_KEYS, SPEECH_KEY
from appliance.errors import ConfigError

# Those that the appliance has a use for, and every other that the application knows
NAMES = tuple(dict.fromkeys([*S3_KEYS, "LLM_API_KEY", "HF_TOKEN", SPEECH_KEY, *sorted(OTHERS)]))
LONGEST = 64 * 1024


def from_files(pairs: tuple[str, ...]) -> dict[str, str]:
    """Read secrets from `NAME=FILE`. Raises ConfigError for an unknown name or file."""
    found = {}
    for pair in pairs:
        name, separator, file = pair.partition("=")
        if not separator or name not in NAMES:
            raise ConfigError(
                f"--secret {name}: this machine has no secret of that name.",
                f"Use NAME=FILE with one of {', '.join(NAMES)}.",
            )
        found[name] = read(file, name)
    return found


def from_credentials() -> dict[str, str]:
    """Return what systemd handed to this process (systemd.exec(5), Credentials)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    files = [(name, Path(folder) / f"appliance.{name}") for name in (*NAMES, PASSWORD)]
    return {name: read(str(file), name) for name, file in files if file.is_file()}


def read(file: str, what: str) -> str:
    """Return the first line; `-` is standard input."""
    try:
        text = sys.stdin.read(LONGEST) if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{what} cannot be read from {file}: {error}.", "Name another file."
        ) from error
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise ConfigError(f"{file} has no {what}: its first line is empty.", "Name another file.")
    return lines[0].strip()


def ask_password(who: str) -> str:
    return str(click.prompt(f"Password for {who}", hide_input=True, confirmation_prompt=True))
