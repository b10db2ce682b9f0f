"""Carry nudges to workers through Celery's queues.

In embedded mode the transport is this process's memory, otherwise Redis or Valkey. The database
knows what is to be done (`pipeline/`), so the reconciler refills a queue that is lost.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from reflector.pipeline.step import Queue, StepDefinition
from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

STEP_TASK = "reflector.step"
MEMORY_POLL_SECONDS = 0.02
BROKER_SECONDS = 3
PAUSE_SECONDS = 2.0


def make_celery(settings: Settings) -> Celery:
    app = Celery("reflector", broker=settings.broker_url, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=BROKER_SECONDS,
        task_default_queue=Queue.DEFAULT.value,
        timezone="UTC",
    )
    if settings.has_own_worker:
        app.conf.broker_transport_options = {"polling_interval": MEMORY_POLL_SECONDS}
    else:
        app.conf.broker_transport_options = {
            "socket_connect_timeout": BROKER_SECONDS,
            "socket_keepalive": True,
            # A message that is not acknowledged within an hour is delivered again. It may be a long
            # step that still runs: its lease keeps the second worker away.
            "visibility_timeout": 3600,
        }
    return app


class CeleryDispatcher:
    """Implement `Dispatcher`.

    A broker that is away fails no request: the reconciler nudges again.
    """

    def __init__(self, app: Celery) -> None:
        self.app = app
        self._silent_until = 0.0

    def nudge(self, transcript_id: str, run: int, spec: StepDefinition) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self.app.send_task(
                STEP_TASK,
                args=[transcript_id, run, spec.name.value],
                queue=spec.queue.value,
                retry=False,
            )
        except (OperationalError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            log.warning("the broker does not answer (%s); the work is found later", error)

    def is_idle(self) -> bool:
        try:
            waiting = self.waiting()
        except (OperationalError, redis.RedisError, OSError):
            return False
        return waiting is not None and sum(waiting.values()) == 0

    def waiting(self) -> dict[str, int] | None:
        """Return the messages in each queue, and `unacked`: those that workers hold.

        Return None if the broker does not tell. Raises if it is away.
        """
        with self.app.connection_for_read() as connection:
            client: Any = getattr(connection.default_channel, "client", None)
            if not hasattr(client, "llen"):
                return None
            counts = {queue.value: int(client.llen(queue.value)) for queue in Queue}
            return {**counts, "unacked": int(client.hlen("unacked"))}
