"""Run the worker processes of a larger server: `reflector worker` and `reflector beat`."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Sequence

from prometheus_client import start_http_server

from reflector.app import validate_backends
from reflector.db.engine import Database
from reflector.errors import ConfigurationError
from reflector.pipeline.memory import OUT_OF_MEMORY, invocation, note_killed
from reflector.pipeline.queue.broker import CeleryDispatcher, make_celery
from reflector.pipeline.step import Queue
from reflector.runtime.sd_notify import ready, stopping
from reflector.runtime.settings import Settings
from reflector.services import open_services
from reflector.worker import Worker, beat_service

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MODEL_QUEUES = {Queue.SPEECH}


def _refuse_embedded(settings: Settings) -> None:
    if settings.has_own_worker:
        raise ConfigurationError(
            "the server does its work itself with these settings, and no other process can help",
            "Set DATABASE_URL to PostgreSQL and CELERY_BROKER_URL to Valkey or Redis.",
        )


def _until_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def note_end(settings: Settings) -> None:
    """Record, after a worker was killed for lack of memory, which steps it was running.

    Its systemd unit calls this, so that these steps are not retried without end.
    """
    run = invocation()
    if run is None or os.environ.get("SERVICE_RESULT") != OUT_OF_MEMORY:
        return
    db = Database(settings.database_url)
    count = note_killed(db, run)
    db.close()
    log.error("memory ran out: the worker was killed at %s steps", count)


def run_worker(
    settings: Settings, queues: Sequence[Queue], concurrency: int, metrics_port: int | None
) -> None:
    """Work until a signal comes, then release unfinished steps at once for other workers."""
    _refuse_embedded(settings)
    validate_backends(settings)
    stop = _until_signal()
    services = open_services(settings)
    if metrics_port:
        try:
            start_http_server(metrics_port, addr="127.0.0.1")
        except OSError as error:
            raise ConfigurationError(
                f"metrics cannot be served on port {metrics_port}: {error.strerror}",
                "Choose another with --metrics-port.",
            ) from error
    dispatcher = CeleryDispatcher(make_celery(settings))
    worker = Worker(services, dispatcher, queues, concurrency)
    worker.start()
    if MODEL_QUEUES & set(queues):
        threading.Thread(target=services.speech.prepare, name="models", daemon=True).start()
    log.info("working on %s", ", ".join(queue.value for queue in queues))
    ready()
    while not stop.wait(LOOK_SECONDS):
        if not worker.is_alive:
            log.critical("a part of this worker has ended; restarting it")
            os._exit(1)
    stopping()
    try:
        if left := worker.drain():
            log.info("%s unfinished steps are free for other workers", left)
    except Exception as error:  # noqa: BLE001 - the leases expire by themselves
        log.warning("unfinished steps stay taken for half a minute: %s", error)
    services.close()
    # A model run cannot be interrupted within a window
    os._exit(0)


def run_beat(settings: Settings) -> None:
    """Send scheduled jobs until a signal comes. One such process is enough."""
    _refuse_embedded(settings)
    stop = _until_signal()
    service = beat_service(make_celery(settings), settings)
    thread = threading.Thread(target=service.start, name="beat", daemon=True)
    thread.start()
    log.info("scheduled: %s", ", ".join(sorted(service.scheduler.schedule)))
    ready()
    while not stop.wait(1.0):
        if not thread.is_alive():
            raise ConfigurationError("the schedule has stopped", "The log says why.")
    stopping()
    service.stop(wait=False)
    os._exit(0)
