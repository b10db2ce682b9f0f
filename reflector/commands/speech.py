"""Run the process that owns the compute device: `reflector speech`."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tempfile

import click
import uvicorn

from reflector.commands.serve import inherited, listen
from reflector.runtime.malloc import use_huge_pages
from reflector.runtime.sd_notify import ready, stopping
from reflector.runtime.settings import Settings
from reflector.speech.registry import SpeechEngines
from reflector.speech_service.app import create_speech_app

log = logging.getLogger(__name__)

# For requests in progress at shutdown; the units wait 45 s (TimeoutStopSec)
GRACE_SECONDS = 20
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        stopping()
        await super().shutdown(sockets)


def run_speech(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends the process."""
    use_huge_pages()
    settings.scratch_dir.mkdir(parents=True, exist_ok=True)
    # Incoming recordings go here: /tmp is often kept in memory
    tempfile.tempdir = str(settings.scratch_dir)
    if settings.REFLECTOR_GPU_APIKEY is None and host not in LOOPBACK:
        log.warning("whoever reaches %s may use this service: set REFLECTOR_GPU_APIKEY", host)
    app = create_speech_app(settings, SpeechEngines(settings, own_device=True))
    listeners = inherited() or [listen(host, port, next_free=False)]
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The speech service is at http://{shown}:{listeners[0].getsockname()[1]}/")
    sys.stdout.flush()
    config = uvicorn.Config(
        app, log_level="warning", log_config=None, access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    _Server(config).run(sockets=listeners)
    # A model run cannot be interrupted within a window, and Python would wait for its thread
    os._exit(0)
