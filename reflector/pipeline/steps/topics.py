"""Divide the meeting into topics, each with a title and a summary."""

from __future__ import annotations

import uuid

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reflector.db.models import Topic, Transcript
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.language.meeting import Method
from reflector.pipeline import analysis
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.transcript.topics import topic_view


def run(context: StepContext) -> Output:
    if not context.words:
        return {"topics": [], "method": Method.EXTRACTIVE.value}
    drafts = context.services.analyst.topics(context.meeting, context.progress)
    topics = [
        {"first": d.first, "last": d.last, "title": d.title, "summary": d.summary} for d in drafts
    ]
    return {"topics": topics, "method": analysis.method(context)}


def apply(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Outbox
) -> None:
    this_run = (Topic.transcript_id == transcript.id, Topic.run == context.run)
    session.execute(delete(Topic).where(*this_run))
    for position, draft in enumerate(output["topics"]):
        words = context.words[draft["first"] : draft["last"]]
        topic = Topic(
            id=str(uuid.uuid4()),
            transcript_id=transcript.id,
            run=context.run,
            position=position,
            title=draft["title"],
            summary=draft["summary"],
            timestamp=words[0].start,
            duration=round(words[-1].end - words[0].start, 2),
            first_word=draft["first"],
            last_word=draft["last"],
        )
        session.add(topic)
        events.add(EventName.TOPIC, topic_view(topic, words))


STEP = StepDefinition(
    StepName.TOPICS,
    Queue.LANGUAGE,
    run,
    needs=(StepName.ASSEMBLE,),
    optional=True,
    apply=apply,
    depends=analysis.depends,
)
