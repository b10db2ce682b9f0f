"""Define pipeline steps. `steps/` has one file for each, `registry.py` lists them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from reflector.db.models import Transcript
    from reflector.events.outbox import Outbox
    from reflector.pipeline.context import Output, StepContext

    Apply = Callable[[StepContext, Session, Transcript, Output, Outbox], None]
    Show = Callable[[Transcript, Output, Outbox], None]


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


def _depends_on_nothing(context: StepContext) -> list[Any]:
    return []


@dataclass(frozen=True)
class StepDefinition:
    """The definition of a step.

    `needs` must be done. `after` must be done or failed, if the run has it. A run continues without
    an `optional` step that failed.

    `run` computes the output, outside any transaction. `apply` writes what follows from the output,
    in the transaction that marks the step done. `show` changes the transcript: at once if the run
    is on show, otherwise when the run ends. `depends` returns what the output depends on besides
    the recording and the steps before. Raise `version` to make all earlier outputs out of date.
    """

    name: StepName
    queue: Queue
    run: Callable[[StepContext], Output]
    needs: tuple[StepName, ...] = ()
    after: tuple[StepName, ...] = ()
    optional: bool = False
    apply: Apply | None = None
    show: Show | None = None
    depends: Callable[[StepContext], list[Any]] = _depends_on_nothing
    version: int = 1

    def write(
        self,
        context: StepContext,
        session: Session,
        transcript: Transcript,
        output: Output,
        events: Outbox,
    ) -> None:
        """Write what follows from `output`."""
        if self.apply is not None:
            self.apply(context, session, transcript, output, events)
        if self.show is not None and transcript.shown_run == context.run:
            self.show(transcript, output, events)
