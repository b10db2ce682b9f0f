"""List the decisions and the next steps."""

from __future__ import annotations

from reflector.db.edits import is_edited
from reflector.db.models import Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.language.meeting import ActionItems, Method
from reflector.pipeline import analysis
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName


def run(context: StepContext) -> Output:
    if not context.words:
        return {"items": ActionItems().model_dump(), "method": Method.EXTRACTIVE.value}
    items = context.services.analyst.action_items(context.meeting)
    return {"items": items.model_dump(), "method": analysis.method(context)}


def show(transcript: Transcript, output: Output, events: Outbox) -> None:
    if not is_edited(transcript, "action_items"):
        transcript.action_items = output["items"]
    events.add(EventName.ACTION_ITEMS, {"action_items": transcript.action_items})


STEP = StepDefinition(
    StepName.ACTIONS,
    Queue.LANGUAGE,
    run,
    needs=(StepName.ASSEMBLE,),
    optional=True,
    show=show,
    depends=analysis.depends,
)
