"""Let a job of the schedule begin only once the one before it has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Argument = TypeVar("Argument")


def one_at_a_time(job: Callable[[Argument], int]) -> Callable[[Argument], int]:
    """Do nothing, and return 0, while this process still does the job.

    Jobs that wait for other servers would otherwise take all threads of the pipeline.
    """
    turn = threading.Lock()

    @wraps(job)
    def begin(argument: Argument) -> int:
        if not turn.acquire(blocking=False):
            return 0
        try:
            return job(argument)
        finally:
            turn.release()

    return begin
