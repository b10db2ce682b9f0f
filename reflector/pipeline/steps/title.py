"""Give the meeting a title."""

from __future__ import annotations

from reflector.db.edits import is_edited
from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.language.meeting import Method
from reflector.pipeline import analysis
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName


def run(context: StepContext) -> Output:
    if not context.words:
        return {"title": None, "method": Method.EXTRACTIVE.value}
    title = context.services.analyst.title(context.meeting, analysis.drafts(context))
    return {"title": title, "method": analysis.method(context)}


def show(transcript: Transcript, output: Output, events: Outbox) -> None:
    if not is_edited(transcript, "title"):
        transcript.title = output["title"]
    if transcript.title:
        events.add(EventName.FINAL_TITLE, {"title": transcript.title})


STEP = StepDefinition(
    StepName.TITLE,
    Queue.LANGUAGE,
    run,
    needs=(StepName.TOPICS,),
    optional=True,
    show=show,
    depends=analysis.depends,
)
