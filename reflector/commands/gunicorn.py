"""gunicorn with uvicorn workers: what serves the API where the work is done elsewhere."""

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


class _Supervisor(Arbiter):  # type: ignore[misc]
    """Tells systemd that it still looks after its processes, each second that it does."""

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
        """In each process, after the fork: connections and threads do not survive one."""
        from reflector.app import create_app
        from reflector.services import open_services

        try:
            return create_app(open_services(self._settings))
        except ReflectorError as error:
            # gunicorn gives up where a process ends like this before it has served anything
            log.die(error.message, error.hint, Arbiter.WORKER_BOOT_ERROR)


def run_gunicorn(settings: Settings, listeners: list[socket.socket], workers: int) -> None:
    """Serve on all `listeners`."""
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
    """Before the first fork, so that several processes have the program in memory once. One alone
    has it to itself, and the process that supervises it stays small."""
    import reflector.app  # noqa: F401

    # What is there now stays as it is: a collector that marks objects would copy their pages
    gc.collect()
    gc.freeze()
