"""Run the threads that take messages and execute steps, and the reconciler.

In embedded mode they are threads of the server, otherwise of `reflector worker`. Every worker
reconciles.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.beat import Scheduler
from celery.beat import Service as BeatService
from celery.worker import WorkController

from reflector import schedule
from reflector.accounts import sessions
from reflector.calendars import sync as calendars
from reflector.db.engine import is_disconnect
from reflector.housekeeping import deletions, heartbeat, live_text, public_data, trash
from reflector.mail import delivery as mail
from reflector.pipeline.queue.broker import STEP_TASK, CeleryDispatcher
from reflector.pipeline.queue.reconcile import reconcile, release_all
from reflector.pipeline.runner import Runner
from reflector.pipeline.step import Queue, StepName
from reflector.runtime.pulse import Pulse
from reflector.runtime.sd_notify import Watchdog
from reflector.runtime.settings import Settings
from reflector.search import index
from reflector.services import Services
from reflector.webhooks import delivery as webhooks

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 3.0
EMBEDDED_CONCURRENCY = 4
GRACE_SECONDS = 10.0
DRAIN_POLL_SECONDS = 0.1
CONSUME_AGAIN_SECONDS = 2.0
REPORT_SECONDS = 30
BEAT_SECONDS = 5


def add_tasks(app: Celery, runner: Runner, stop: threading.Event) -> None:
    services = runner.services

    @app.task(name=STEP_TASK)  # type: ignore[untyped-decorator]
    def step(transcript_id: str, run: int, name: str) -> None:
        if not stop.is_set():
            runner.execute(transcript_id, run, StepName(name))

    @app.task(name=schedule.RETRY_DELETIONS)  # type: ignore[untyped-decorator]
    def retry_deletions() -> None:
        deletions.execute(services)

    @app.task(name=schedule.CLEAN_UP_PUBLIC_DATA)  # type: ignore[untyped-decorator]
    def clean_up() -> None:
        public_data.clean_up(services)

    @app.task(name=schedule.REMOVE_ENDED_SESSIONS)  # type: ignore[untyped-decorator]
    def remove_ended_sessions() -> None:
        with services.db.write() as session:
            sessions.remove_ended(session)

    @app.task(name=schedule.APPLY_RETENTION)  # type: ignore[untyped-decorator]
    def apply_retention() -> None:
        live_text.remove_old(services)
        trash.apply_retention(services)
        webhooks.remove_old(services)
        mail.remove_old(services)
        calendars.remove_old(services)

    @app.task(name=schedule.SEND_WEBHOOKS)  # type: ignore[untyped-decorator]
    def send_webhooks() -> None:
        webhooks.execute(services)

    @app.task(name=schedule.READ_CALENDARS)  # type: ignore[untyped-decorator]
    def read_calendars() -> None:
        calendars.execute(services)

    @app.task(name=schedule.SEND_MAIL)  # type: ignore[untyped-decorator]
    def send_mail() -> None:
        mail.execute(services)

    @app.task(name=schedule.HEARTBEAT)  # type: ignore[untyped-decorator]
    def ping() -> None:
        heartbeat.ping(services.settings)


class Worker:
    """Serve some queues and run the reconciler in threads of this process."""

    def __init__(
        self,
        services: Services,
        dispatcher: CeleryDispatcher,
        queues: Sequence[Queue],
        concurrency: int,
        *,
        alone: bool = False,
    ) -> None:
        self._celery = dispatcher.app
        self.runner = Runner(services, dispatcher)
        self._queues, self._concurrency, self._alone = queues, concurrency, alone
        self._stop = threading.Event()
        add_tasks(self._celery, self.runner, self._stop)
        self._pulse = Pulse()
        self._celery.steps["consumer"].add(self._pulse.step())
        self._controller: Any = None
        self._threads: list[threading.Thread] = []

    @property
    def is_alive(self) -> bool:
        """Whether all threads still run; if one has ended, the process must end too."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def takes_messages(self) -> bool:
        """Whether messages are taken: False if a thread has ended or hangs."""
        return self.is_alive and self._pulse.is_there

    def start(self) -> None:
        """Start the threads.

        With `alone`, no other process works on this database; the caller holds the lock for that.
        """
        if self._alone:
            release_all(self.runner)
            start_beat(self._celery, self.runner.services.settings)
        self._threads = [
            threading.Thread(target=self._consume, name="worker", daemon=True),
            threading.Thread(target=self._reconcile, name="reconciler", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _consume(self) -> None:
        """Take messages until the process ends, even if the broker fails."""
        while not self._stop.is_set():
            try:
                self._controller = WorkController(
                    app=self._celery,
                    pool_cls="threads",
                    concurrency=self._concurrency,
                    queues=[queue.value for queue in self._queues],
                    without_heartbeat=True,
                    without_mingle=True,
                    without_gossip=True,
                )
                self._controller.start()
            except Exception:
                log.exception("taking messages failed; retrying")
            self._stop.wait(CONSUME_AGAIN_SECONDS)

    def _reconcile(self) -> None:
        relay = self.runner.services.relay
        try:
            if added := index.backfill(self.runner.services.db):
                log.info("search knows %s older transcripts now", added)
        except Exception:
            log.exception("older transcripts were not indexed; the next start tries again")
        watchdog = Watchdog()
        while True:
            if self.takes_messages:
                watchdog.pat()
                # While the broker is away, there is nothing to take
                if relay and not relay.report_worker(
                    self.runner.worker, self._queues, REPORT_SECONDS
                ):
                    self._pulse.beat()
            else:
                log.critical("this worker takes no messages; systemd restarts it")
            try:
                reconcile(self.runner)
            except Exception as error:
                if is_disconnect(error):
                    log.warning("the database does not answer; the reconciler tries again")
                else:
                    log.exception("the reconciler failed; it tries again")
            if self._stop.wait(RECONCILE_SECONDS):
                return

    def stop(self) -> None:
        """Start no further step.

        A running step is not waited for: the process is about to end, and the next start resumes
        it.
        """
        self._stop.set()

    def drain(self, seconds: float = GRACE_SECONDS) -> int:
        """Wait a moment for running steps, then release the rest for others; return how many."""
        self.stop()
        relay = self.runner.services.relay
        if relay is not None:
            relay.forget_worker(self.runner.worker)
        deadline = time.monotonic() + seconds
        while self.runner.busy and time.monotonic() < deadline:
            time.sleep(DRAIN_POLL_SECONDS)
        return self.runner.release()


class WatchedScheduler(Scheduler):  # type: ignore[misc]
    """Notify systemd's watchdog each time the schedule is checked."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._watchdog = Watchdog()

    def tick(self, *arguments: Any, **options: Any) -> float:
        self._watchdog.pat()
        return float(super().tick(*arguments, **options))


def beat_service(app: Celery, settings: Settings) -> BeatService:
    """Return the scheduler. It keeps no file, because every job may come a little late."""
    app.conf.beat_schedule = {job.task: job.entry() for job in schedule.jobs(settings)}
    return BeatService(app, scheduler_cls=WatchedScheduler, max_interval=BEAT_SECONDS)


def start_beat(app: Celery, settings: Settings) -> None:
    threading.Thread(target=beat_service(app, settings).start, name="beat", daemon=True).start()
