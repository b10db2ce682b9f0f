"""`reflector speech`: the process that owns the device."""

from __future__ import annotations

import os
import sys

import click
import uvicorn

from reflector.commands.serve import inherited, listen
from reflector.settings import Settings
from reflector.speech.loaded import SpeechEngines
from reflector.speech_service.app import create_speech_app


def run_speech(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal ends it."""
    app = create_speech_app(settings, SpeechEngines(settings, own_device=True))
    listener = inherited() or listen(host, port, next_free=False)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The speech service is at http://{shown}:{listener.getsockname()[1]}/")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_level="warning", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])
    # A model in the middle of a window cannot be interrupted, and Python would wait for its thread
    os._exit(0)
