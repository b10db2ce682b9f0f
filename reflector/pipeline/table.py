"""What each step does: compute, what it depends on, and what its output changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.events.record import Recorder
from reflector.pipeline import language_steps, media_steps, speech_steps, translate_step
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.specs import StepName

Apply = Callable[[StepContext, Session, Transcript, Output, Recorder], None]


def _nothing(context: StepContext) -> list[Any]:
    return []


def _no_change(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Recorder
) -> None:
    return None


@dataclass(frozen=True)
class Work:
    """`run` computes the output, in its own time. `apply` writes what follows from it, in the
    transaction that marks the step done. `depends` is what the output depends on besides the
    recording and the steps before; a change of `version` makes all outputs out of date."""

    run: Callable[[StepContext], Output]
    apply: Apply = _no_change
    depends: Callable[[StepContext], list[Any]] = _nothing
    version: int = 1


def when_shown(show: Callable[[Transcript, Output, Recorder], None]) -> Apply:
    """Change the transcript at once where this run is on show; `finish` does it otherwise."""

    def apply(
        context: StepContext,
        session: Session,
        transcript: Transcript,
        output: Output,
        events: Recorder,
    ) -> None:
        if transcript.shown_run == context.run:
            show(transcript, output, events)

    return apply


def run_finish(context: StepContext) -> Output:
    context.drop_scratch()
    return {}


WORK: dict[StepName, Work] = {
    StepName.DECODE: Work(media_steps.run_decode, media_steps.apply_decode),
    StepName.PLAYBACK: Work(media_steps.run_playback),
    StepName.TRANSCRIBE: Work(speech_steps.run_transcribe, depends=speech_steps.transcribe_depends),
    StepName.DIARIZE: Work(speech_steps.run_diarize, depends=speech_steps.diarize_depends),
    StepName.ASSEMBLE: Work(speech_steps.run_assemble, speech_steps.apply_assemble),
    StepName.TOPICS: Work(
        language_steps.run_topics, language_steps.apply_topics, language_steps.language_depends
    ),
    StepName.TITLE: Work(
        language_steps.run_title,
        when_shown(language_steps.show_title),
        language_steps.language_depends,
    ),
    StepName.SUMMARY: Work(
        language_steps.run_summary,
        when_shown(language_steps.show_summary),
        language_steps.language_depends,
    ),
    StepName.ACTIONS: Work(
        language_steps.run_actions,
        when_shown(language_steps.show_actions),
        language_steps.language_depends,
    ),
    StepName.TRANSLATE: Work(
        translate_step.run_translate,
        translate_step.show_translation,
        translate_step.translate_depends,
    ),
    StepName.FINISH: Work(run_finish),
}
SHOW_AT_FINISH = {
    StepName.TITLE: language_steps.show_title,
    StepName.SUMMARY: language_steps.show_summary,
    StepName.ACTIONS: language_steps.show_actions,
}
