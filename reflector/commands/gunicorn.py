"""gunicorn with uvicorn workers: what serves the API where the work is done elsewhere."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
from typing import Any

from fastapi import FastAPI
from gunicorn.app.base import BaseApplication
from uvicorn_worker import UvicornWorker

from reflector.api.service import MULTIPROCESS
from reflector.app import create_app
from reflector.services import open_services
from reflector.settings import Settings

PING_SECONDS = 20.0
GRACE_SECONDS = 20
# A process that has not said anything for so long is taken for stuck. Its event loop says
# something each second, whatever its threads are at.
STUCK_SECONDS = 120


class Worker(UvicornWorker):  # type: ignore[misc]
    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - gunicorn's own way to set them
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "access_log": False,
        "log_config": None,
    }


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """In each process, after the fork: connections and threads do not survive one."""
        return create_app(open_services(self._settings))


def run_gunicorn(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serve on `listener`; under systemd gunicorn takes the sockets that it is handed."""
    # Before the first fork, so that settings that cannot work end the program with their sentence
    services = open_services(settings)
    create_app(services)
    services.close()
    folder = tempfile.mkdtemp(prefix="reflector-metrics-") if workers > 1 else None
    if folder:
        os.environ[MULTIPROCESS] = folder
    os.set_inheritable(listener.fileno(), True)
    options = {
        "bind": [f"fd://{listener.fileno()}"],
        "workers": workers,
        "worker_class": f"{__name__}.Worker",
        "forwarded_allow_ips": settings.TRUSTED_PROXIES,
        "graceful_timeout": GRACE_SECONDS,
        "timeout": STUCK_SECONDS,
        "loglevel": "warning",
        "proc_name": "reflector-api",
        "preload_app": False,
        "control_socket_disable": True,
    }
    # What is there now stays as it is: a collector that marks objects would copy their pages
    gc.collect()
    gc.freeze()
    try:
        _Gunicorn(settings, options).run()
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
