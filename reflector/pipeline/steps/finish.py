"""End the run: remove its scratch files. `pipeline/finish.py` shows its result."""

from __future__ import annotations

from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName


def run(context: StepContext) -> Output:
    context.drop_scratch()
    return {}


STEP = StepDefinition(
    StepName.FINISH,
    Queue.DEFAULT,
    run,
    needs=(StepName.ASSEMBLE,),
    after=(
        StepName.PLAYBACK,
        StepName.TOPICS,
        StepName.TITLE,
        StepName.SUMMARY,
        StepName.ACTIONS,
        StepName.TRANSLATE,
    ),
)
