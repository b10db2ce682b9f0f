"""Set up logging: one line per event on standard error, or journal records under systemd.

Journal records carry the transcript that they are about as a field.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn

import click

from reflector.runtime.journald import JournalHandler, is_our_stream

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 - never changed


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Add fields to everything that is logged inside the `with` block.

    `about(transcript=…, step=…)` sets the journal's fields REFLECTOR_TRANSCRIPT and REFLECTOR_STEP.
    """
    named = {f"REFLECTOR_{name.upper()}": value for name, value in fields.items()}
    token = _about.set({**_about.get(), **named})
    try:
        yield
    finally:
        _about.reset(token)


def with_fields(record: logging.LogRecord) -> bool:
    """Add the fields of `about` to a record; a filter that keeps every record."""
    record.fields = _about.get()
    return True


def drop_refused_websocket(record: logging.LogRecord) -> bool:
    """Drop uvicorn's error for each WebSocket that was refused with an HTTP response.

    ASGI allows that. Remove this filter when uvicorn's `websockets_sansio_impl` counts that as a
    complete handshake.
    """
    return record.getMessage() != "ASGI callable returned without completing handshake."


def setup(debug: bool = False) -> None:
    logging.getLogger("uvicorn.error").addFilter(drop_refused_websocket)
    if is_our_stream():
        handler: logging.Handler = JournalHandler()
        handler.addFilter(with_fields)
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
        )
    level = logging.DEBUG if debug else logging.INFO
    logging.basicConfig(level=level, handlers=[handler], force=True)
    noisy = [
        "aioice",
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
    """Hide warnings, for commands that report them by themselves."""
    logging.getLogger().setLevel(logging.ERROR)


def die(message: str, hint: str | None = None, code: int = 1) -> NoReturn:
    """End the program with one sentence and one remedy on standard error."""
    click.echo(click.style("error: ", fg="red", bold=True) + message, err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    raise SystemExit(code)
