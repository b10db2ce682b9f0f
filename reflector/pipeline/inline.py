"""Run the steps in this process, without a server, for the `transcribe` command."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor

from reflector.pipeline.runner import Runner
from reflector.pipeline.runs import is_active, steps_of
from reflector.pipeline.step import StepDefinition, StepName
from reflector.services import Services

WORKERS = 3


class InlineRunner:
    """Implement `Dispatcher` with a queue and a few threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._queue: queue.Queue[tuple[str, int, StepDefinition]] = queue.Queue()
        self._runner = Runner(services, self, is_patient=False)

    def nudge(self, transcript_id: str, run: int, spec: StepDefinition) -> None:
        self._queue.put((transcript_id, run, spec))

    def is_idle(self) -> bool:
        return False

    def run(self, transcript_id: str, run: int) -> None:
        """Work until the run has nothing left to do."""
        self._runner.nudge_ready(transcript_id, run)
        with ThreadPoolExecutor(WORKERS) as pool:
            while self._active(transcript_id, run):
                try:
                    item = self._queue.get(timeout=0.2)
                except queue.Empty:
                    continue
                pool.submit(self._runner.execute, item[0], item[1], StepName(item[2].name))

    def _active(self, transcript_id: str, run: int) -> bool:
        with self._services.db.read() as session:
            return is_active(steps_of(session, transcript_id, run))
