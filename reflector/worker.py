"""Celery: what carries nudges from whoever finished a step to whoever does the next.

Embedded, the transport is this process's memory and the worker a thread of it. The database knows
what is to be done (`pipeline/`), so a queue that is lost is refilled by the reconciler.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import Celery
from celery.worker import WorkController

from reflector.pipeline.reconcile import reconcile, release_all
from reflector.pipeline.runner import Runner
from reflector.pipeline.specs import Queue, StepName, StepSpec
from reflector.services import Services
from reflector.settings import Settings

log = logging.getLogger(__name__)

STEP_TASK = "reflector.step"
MEMORY_POLL_SECONDS = 0.02
RECONCILE_SECONDS = 3.0
EMBEDDED_CONCURRENCY = 4


def make_celery(settings: Settings) -> Celery:
    app = Celery("reflector", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        task_default_queue=Queue.DEFAULT.value,
    )
    if settings.broker_url.startswith("memory"):
        app.conf.broker_transport_options = {"polling_interval": MEMORY_POLL_SECONDS}
    return app


class CeleryDispatcher:
    """Implements `Dispatcher`."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def nudge(self, transcript_id: str, run: int, spec: StepSpec) -> None:
        self._app.send_task(
            STEP_TASK, args=[transcript_id, run, spec.name.value], queue=spec.queue.value
        )


class EmbeddedWorker:
    """All queues and the reconciler as threads of this process."""

    def __init__(self, services: Services) -> None:
        self._celery = make_celery(services.settings)
        self.runner = Runner(services, CeleryDispatcher(self._celery))
        self._stop = threading.Event()

        @self._celery.task(name=STEP_TASK)  # type: ignore[untyped-decorator]
        def step(transcript_id: str, run: int, name: str) -> None:
            if not self._stop.is_set():
                self.runner.execute(transcript_id, run, StepName(name))

        self._worker: Any = None

    def start(self) -> None:
        """Only one process may work on a data folder; the caller holds its lock."""
        release_all(self.runner)
        self._worker = WorkController(
            app=self._celery,
            pool_cls="threads",
            concurrency=EMBEDDED_CONCURRENCY,
            queues=[queue.value for queue in Queue],
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        threading.Thread(target=self._worker.start, name="worker", daemon=True).start()
        threading.Thread(target=self._reconcile, name="reconciler", daemon=True).start()

    def _reconcile(self) -> None:
        while True:
            try:
                reconcile(self.runner)
            except Exception:
                log.exception("the reconciler failed; it tries again")
            if self._stop.wait(RECONCILE_SECONDS):
                return

    def stop(self) -> None:
        """Start no further step. One that runs is not waited for: the process is about to end, and
        the next start takes it up again."""
        self._stop.set()
