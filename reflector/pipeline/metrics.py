"""Export figures of the steps for Prometheus, under the reference's names where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, or_, select

from reflector.db.engine import Database
from reflector.db.models import Deletion, Step, StepState, now
from reflector.pipeline.registry import STEPS
from reflector.pipeline.step import Queue, StepName

SECONDS = (0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
FACTORS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

duration = Histogram("processor", "Seconds of a step's work", ["processor"], buckets=SECONDS)
calls = Counter("processor_call", "Steps worked on", ["processor"])
successes = Counter("processor_success", "Steps done", ["processor"])
failures = Counter("processor_failure", "Steps failed, or put off", ["processor"])
real_time = Histogram(
    "reflector_real_time_factor", "Seconds of work for a second of audio", ["step"], buckets=FACTORS
)


def step_done(step: StepName, seconds: float, output: Mapping[str, Any]) -> None:
    calls.labels(step.value).inc()
    successes.labels(step.value).inc()
    duration.labels(step.value).observe(seconds)
    factor = (output.get("engine") or {}).get("real_time_factor")
    if factor is not None:
        real_time.labels(step.value).observe(factor)


def step_failed(step: StepName) -> None:
    calls.labels(step.value).inc()
    failures.labels(step.value).inc()


class Backlog:
    """Collect the waiting steps from the database for each scrape."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "reflector_queue_steps", "Steps that wait for a worker", labels=["queue"]
        )
        oldest = GaugeMetricFamily(
            "reflector_queue_oldest_seconds", "How long the oldest of them waits", labels=["queue"]
        )
        counts = dict.fromkeys(Queue, 0)
        ages = dict.fromkeys(Queue, 0.0)
        with self._db.read() as session:
            rows = session.execute(
                select(Step.name, func.count(), func.min(Step.nudged_at))
                .where(
                    Step.state == StepState.PENDING,
                    Step.nudged_at.is_not(None),
                    or_(Step.retry_at.is_(None), Step.retry_at <= now()),
                )
                .group_by(Step.name)
            ).all()
            failed = session.scalar(
                select(func.count()).select_from(Step).where(Step.state == StepState.FAILED)
            )
            undeleted = session.scalar(select(func.count()).select_from(Deletion))
        for name, count, since in rows:
            assert since is not None
            queue = STEPS[StepName(name)].queue
            counts[queue] += count
            ages[queue] = max(ages[queue], (now() - since).total_seconds())
        for queue in Queue:
            waiting.add_metric([queue.value], counts[queue])
            oldest.add_metric([queue.value], ages[queue])
        yield waiting
        yield oldest
        yield GaugeMetricFamily(
            "reflector_failed_steps", "Steps of present results that failed", value=failed or 0
        )
        yield GaugeMetricFamily(
            "reflector_open_deletions", "Orders to delete stored objects", value=undeleted or 0
        )
