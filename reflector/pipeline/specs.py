"""The steps and what each waits for.

decode ─┬─ playback ────────────────────────────────┐
        ├─ transcribe ─┐        ┌─ title ───────────┤
        └─ diarize ────┴ assemble ─ topics ─ summary ┼─ finish
                            ├────── actions ─────────┤
                            └────── translate ───────┘   (where the target language is another)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepName(StrEnum):
    DECODE = "decode"
    PLAYBACK = "playback"
    TRANSCRIBE = "transcribe"
    DIARIZE = "diarize"
    ASSEMBLE = "assemble"
    TOPICS = "topics"
    TITLE = "title"
    SUMMARY = "summary"
    ACTIONS = "actions"
    TRANSLATE = "translate"
    FINISH = "finish"


class Queue(StrEnum):
    MEDIA = "media"
    SPEECH = "speech"
    LANGUAGE = "language"
    DEFAULT = "default"


@dataclass(frozen=True)
class StepSpec:
    """`needs` must be done, `after` must be done or failed where the run has it. A run goes on
    without `optional`."""

    name: StepName
    queue: Queue
    needs: tuple[StepName, ...] = ()
    after: tuple[StepName, ...] = ()
    optional: bool = False


_S, _Q = StepName, Queue
SPECS: dict[StepName, StepSpec] = {
    spec.name: spec
    for spec in [
        StepSpec(_S.DECODE, _Q.MEDIA),
        StepSpec(_S.TRANSCRIBE, _Q.SPEECH, needs=(_S.DECODE,)),
        StepSpec(_S.DIARIZE, _Q.SPEECH, needs=(_S.DECODE,), optional=True),
        StepSpec(_S.PLAYBACK, _Q.MEDIA, needs=(_S.DECODE,), optional=True),
        StepSpec(_S.ASSEMBLE, _Q.DEFAULT, needs=(_S.TRANSCRIBE,), after=(_S.DIARIZE,)),
        StepSpec(_S.TOPICS, _Q.LANGUAGE, needs=(_S.ASSEMBLE,), optional=True),
        StepSpec(_S.TITLE, _Q.LANGUAGE, needs=(_S.TOPICS,), optional=True),
        StepSpec(_S.SUMMARY, _Q.LANGUAGE, needs=(_S.TOPICS,), optional=True),
        StepSpec(_S.ACTIONS, _Q.LANGUAGE, needs=(_S.ASSEMBLE,), optional=True),
        StepSpec(_S.TRANSLATE, _Q.LANGUAGE, needs=(_S.ASSEMBLE,), optional=True),
        StepSpec(
            _S.FINISH,
            _Q.DEFAULT,
            needs=(_S.ASSEMBLE,),
            after=(_S.PLAYBACK, _S.TOPICS, _S.TITLE, _S.SUMMARY, _S.ACTIONS, _S.TRANSLATE),
        ),
    ]
}
LANGUAGE_STEPS = (StepName.TOPICS, StepName.TITLE, StepName.SUMMARY, StepName.ACTIONS)
