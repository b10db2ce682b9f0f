"""Summarise the meeting, in a paragraph and at length."""

from __future__ import annotations

from typing import Any

from reflector.db.edits import is_edited
from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.language import prompts
from reflector.language.meeting import Method
from reflector.pipeline import analysis
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName


def depends(context: StepContext) -> list[Any]:
    instructions = context.options.summary_instructions
    wanted = [prompts.TEMPLATE, instructions] if instructions else []
    return [*analysis.depends(context), *wanted]


def run(context: StepContext) -> Output:
    if not context.words:
        return {"short": None, "long": None, "method": Method.EXTRACTIVE.value}
    instructions = context.options.summary_instructions
    drafts = analysis.drafts(context)
    summary = context.services.analyst.summary(context.meeting, drafts, instructions)
    return {"short": summary.short, "long": summary.long, "method": analysis.method(context)}


def show(transcript: Transcript, output: Output, events: Outbox) -> None:
    if not is_edited(transcript, "short_summary"):
        transcript.short_summary = output["short"]
    if not is_edited(transcript, "long_summary"):
        transcript.long_summary = output["long"]
    if transcript.long_summary:
        events.add(EventName.FINAL_LONG_SUMMARY, {"long_summary": transcript.long_summary})
    if transcript.short_summary:
        events.add(EventName.FINAL_SHORT_SUMMARY, {"short_summary": transcript.short_summary})


STEP = StepDefinition(
    StepName.SUMMARY,
    Queue.LANGUAGE,
    run,
    needs=(StepName.TOPICS,),
    optional=True,
    show=show,
    depends=depends,
)
