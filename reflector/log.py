"""Logging: one line an event on standard error, which systemd hands to the journal."""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

import click


def setup(debug: bool = False) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stderr,
        force=True,
    )
    noisy = [
        "faster_whisper",
        "httpx",
        "celery",
        "kombu",
        "alembic",
        "speechbrain",
        "fsspec",
        "openai",
    ]
    for name in noisy:
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.WARNING)


def quiet() -> None:
    """Warnings only as what a command prints; for commands that report by themselves."""
    logging.getLogger().setLevel(logging.ERROR)


def die(message: str, hint: str | None = None, code: int = 1) -> NoReturn:
    """End the program with one sentence and one remedy on standard error."""
    click.echo(click.style("error: ", fg="red", bold=True) + message, err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    raise SystemExit(code)
