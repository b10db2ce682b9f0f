"""Serve the API and pages on one socket, and run the worker in embedded mode: `reflector serve`."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
import sys
from typing import IO

import click

from reflector.commands.gunicorn import GRACE_SECONDS, PING_SECONDS, run_gunicorn
from reflector.errors import ConfigurationError
from reflector.runtime.settings import Settings

PORTS_TO_TRY = 50
SD_LISTEN_FDS_START = 3


def listen(host: str, port: int, next_free: bool) -> socket.socket:
    """Return a listening socket.

    With `next_free`, try the following ports as well. Raises ConfigurationError if all of them are
    taken, or if the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(65535, port + PORTS_TO_TRY) if next_free and port else port
    for candidate in range(port, last + 1):
        server = socket.socket(family, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, candidate))
            server.listen(1024)
        except OSError as error:
            server.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigurationError(
                    f"cannot listen on {host} port {candidate}: {error.strerror}"
                ) from error
            continue
        return server
    raise ConfigurationError(
        f"port {port} of {host} is taken by another program",
        "Choose another with --port, or let --next-free-port find one.",
    )


def inherited() -> list[socket.socket]:
    """Return the sockets that systemd passes to this process (sd_listen_fds(3)).

    systemd keeps them open: while the server restarts, connections wait instead of being refused.
    """
    count = os.environ.get("LISTEN_FDS", "")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return []
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return [socket.socket(fileno=SD_LISTEN_FDS_START + number) for number in range(int(count))]


def lock_data(settings: Settings) -> IO[str]:
    """Lock DATA_DIR for this process and return the lock.

    Two servers on one embedded database would take each other's leases. Raises ConfigurationError
    if another server holds the lock.
    """
    path = settings.DATA_DIR / "lock"
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigurationError(
            f"another server already uses the data folder {settings.DATA_DIR}",
            "Stop it, or set DATA_DIR to another folder.",
        ) from error
    return file


def serve(settings: Settings, host: str, port: int, next_free: bool, workers: int) -> None:
    """Serve until a signal ends the process."""
    try:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {settings.DATA_DIR} cannot be written: {error.strerror}",
            "Set DATA_DIR to a folder that this user may write.",
        ) from error
    if not settings.has_own_worker:
        listeners = inherited() or [listen(host, port, next_free)]
        _announce(settings, host, port, listeners[0])
        run_gunicorn(settings, listeners, workers)
        return
    if workers > 1:
        raise ConfigurationError(
            "--workers is for a server with PostgreSQL and a broker",
            "Set DATABASE_URL and CELERY_BROKER_URL, or leave --workers out.",
        )
    _serve_alone(settings, host, port, next_free)


def _announce(settings: Settings, host: str, port: int, listener: socket.socket) -> None:
    if listener.family == socket.AF_UNIX:
        click.echo(f"Reflector is at {listener.getsockname()} – data in {settings.DATA_DIR}")
        sys.stdout.flush()
        return
    actual = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    if port and actual != port and listener.getsockname()[0] == host:
        click.echo(f"Port {port} is taken; using {actual}.")
    click.echo(f"Reflector is at http://{shown}:{actual}/ – data in {settings.DATA_DIR}")
    sys.stdout.flush()


def _serve_alone(settings: Settings, host: str, port: int, next_free: bool) -> None:
    import uvicorn

    from reflector.app import create_app
    from reflector.services import open_services

    try:
        lock = lock_data(settings)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {settings.DATA_DIR} cannot be written: {error.strerror}",
            "Set DATA_DIR to a folder that this user may write.",
        ) from error
    listeners = inherited() or [listen(host, port, next_free)]
    services = open_services(settings)
    app = create_app(services)
    _announce(settings, host, port, listeners[0])
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn shuts down cleanly and then raises the signal again, which would end this process
        # before its own cleanup
        signal.signal(number, lambda *_: None)
    config = uvicorn.Config(
        app, log_level="warning", log_config=None, access_log=False,
        ws_ping_interval=PING_SECONDS, ws_ping_timeout=PING_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips=settings.TRUSTED_PROXIES,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=listeners)
    services.close()
    lock.close()
    # A model run cannot be interrupted within a window, and Python would wait for its thread.
    # Exiting at once loses nothing: the step's lease expires, and the next start resumes it.
    os._exit(0)
