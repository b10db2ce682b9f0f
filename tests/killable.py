"""`python -m tests.killable serve …`: the server, but it stops dead inside one step.

Just before the step KILL_STEP would be written down, the file KILL_FILE appears and the step waits
for ever. The test then sends SIGKILL: all work of the step is done and none of it is recorded,
which is the worst moment.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

from reflector.cli import main
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.registry import STEPS
from reflector.pipeline.step import StepName

ORDER = [
    StepName.DECODE, StepName.PLAYBACK, StepName.TRANSCRIBE, StepName.DIARIZE, StepName.ASSEMBLE,
    StepName.TOPICS, StepName.ACTIONS, StepName.TITLE, StepName.SUMMARY, StepName.FINISH,
]  # fmt: skip


def stop_in(name: StepName, signal_file: Path) -> None:
    """Steps that could run beside `name` and have their turn later wait from their start."""
    work = STEPS[name]

    def run(context: StepContext) -> Output:
        work.run(context)
        signal_file.touch()
        return wait(context)

    def wait(context: StepContext) -> Output:
        threading.Event().wait()
        raise AssertionError

    STEPS[name] = replace(work, run=run)
    for later in ORDER[ORDER.index(name) + 1 :]:
        STEPS[later] = replace(STEPS[later], run=wait)


if __name__ == "__main__":
    if step := os.environ.get("KILL_STEP"):
        stop_in(StepName(step), Path(os.environ["KILL_FILE"]))
    main()
