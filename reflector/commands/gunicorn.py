"""Serve the API with gunicorn and uvicorn workers when other processes do the work."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import tempfile
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from uvicorn_worker import UvicornWorker

from reflector.errors import ReflectorError
from reflector.runtime import log
from reflector.runtime.sd_notify import Watchdog, stopping
from reflector.runtime.settings import METRICS_FOLDER, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

PING_SECONDS = 20.0
GRACE_SECONDS = 20
# A process that is silent for this long counts as stuck. Its event loop reports once a second,
# whatever its threads do.
STUCK_SECONDS = 120


class Worker(UvicornWorker):  # type: ignore[misc]
    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - gunicorn reads this attribute
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        "access_log": False,
        "log_config": None,
    }


class _Supervisor(Arbiter):  # type: ignore[misc]
    """A gunicorn arbiter that notifies systemd's watchdog once a second."""

    def __init__(self, app: BaseApplication) -> None:
        super().__init__(app)
        self._watchdog = Watchdog()

    def murder_workers(self) -> None:
        super().murder_workers()
        self._watchdog.pat()

    def stop(self, graceful: bool = True) -> None:
        stopping()
        super().stop(graceful)


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def run(self) -> None:
        _Supervisor(self).run()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> FastAPI:
        """Build the application in each process, after the fork.

        Connections and threads do not survive a fork.
        """
        from reflector.app import create_app
        from reflector.services import open_services

        try:
            return create_app(open_services(self._settings))
        except ReflectorError as error:
            # gunicorn gives up if a process exits with this code before it has served a request
            log.die(error.message, error.hint, Arbiter.WORKER_BOOT_ERROR)


def run_gunicorn(settings: Settings, listeners: list[socket.socket], workers: int) -> None:
    """Serve on all `listeners` until a signal ends the process."""
    folder = tempfile.mkdtemp(prefix="reflector-metrics-") if workers > 1 else None
    if folder:
        os.environ[METRICS_FOLDER] = folder
        _import_for_all()
    for listener in listeners:
        os.set_inheritable(listener.fileno(), True)
    options = {
        "bind": [f"fd://{listener.fileno()}" for listener in listeners],
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
    try:
        _Gunicorn(settings, options).run()
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _import_for_all() -> None:
    """Import the application before the fork, so that several processes share its memory.

    A single process imports it itself, which keeps the supervising process small.
    """
    import reflector.app  # noqa: F401

    # Freeze the objects: a garbage collection would write to their pages and so copy them
    gc.collect()
    gc.freeze()
