"""Register the steps and what each waits for.

decode ─┬─ playback ────────────────────────────────┐
        ├─ transcribe ─┐        ┌─ title ───────────┤
        └─ diarize ────┴ assemble ─ topics ─ summary ┼─ finish
                            ├────── actions ─────────┤
                            └────── translate ───────┘   (if the target language differs)
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from reflector.pipeline.step import StepDefinition, StepName
from reflector.pipeline.steps import (
    actions,
    assemble,
    decode,
    diarize,
    finish,
    playback,
    summary,
    title,
    topics,
    transcribe,
    translate,
)

LANGUAGE_STEPS = (StepName.TOPICS, StepName.TITLE, StepName.SUMMARY, StepName.ACTIONS)


def checked(steps: Iterable[StepDefinition]) -> dict[StepName, StepDefinition]:
    """Return `steps` by name.

    Raises ValueError if a name has no step or two, or if steps wait for each other.
    """
    found: dict[StepName, StepDefinition] = {}
    for step in steps:
        if step.name in found:
            raise ValueError(f"there are two steps {step.name}")
        found[step.name] = step
    if missing := set(StepName) - set(found):
        raise ValueError(f"there is no step {', '.join(sorted(missing))}")
    try:
        TopologicalSorter({s.name: (*s.needs, *s.after) for s in found.values()}).prepare()
    except CycleError as error:
        raise ValueError(f"steps wait for each other: {error.args[1]}") from None
    return found


STEPS = checked(
    module.STEP
    for module in (
        decode, transcribe, diarize, playback, assemble, topics, title, summary, actions, translate,
        finish,
    )
)  # fmt: skip
