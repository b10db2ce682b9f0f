"""Steps on meaning: topics, title, summary, action items."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reflector.db.models import Topic, Transcript
from reflector.events.names import EventName
from reflector.events.record import Recorder
from reflector.language.meeting import ActionItems, Method, TopicDraft
from reflector.pipeline.context import Output, StepContext
from reflector.pipeline.specs import StepName
from reflector.transcript.topics import topic_view


def language_depends(context: StepContext) -> list[Any]:
    return [context.services.analyst.name, sorted(context.names.items()), context.language]


def _drafts(context: StepContext) -> list[TopicDraft]:
    return [
        TopicDraft(t["first"], t["last"], t["title"], t["summary"])
        for t in context.output(StepName.TOPICS)["topics"]
    ]


def _method(context: StepContext) -> str:
    return context.services.analyst.method.value


def run_topics(context: StepContext) -> Output:
    if not context.words:
        return {"topics": [], "method": Method.EXTRACTIVE.value}
    drafts = context.services.analyst.topics(context.meeting, context.progress)
    topics = [
        {"first": d.first, "last": d.last, "title": d.title, "summary": d.summary} for d in drafts
    ]
    return {"topics": topics, "method": _method(context)}


def apply_topics(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Recorder
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


def run_title(context: StepContext) -> Output:
    if not context.words:
        return {"title": None, "method": Method.EXTRACTIVE.value}
    title = context.services.analyst.title(context.meeting, _drafts(context))
    return {"title": title, "method": _method(context)}


def run_summary(context: StepContext) -> Output:
    if not context.words:
        return {"short": None, "long": None, "method": Method.EXTRACTIVE.value}
    summary = context.services.analyst.summary(context.meeting, _drafts(context))
    return {"short": summary.short, "long": summary.long, "method": _method(context)}


def run_actions(context: StepContext) -> Output:
    if not context.words:
        return {"items": ActionItems().model_dump(), "method": Method.EXTRACTIVE.value}
    items = context.services.analyst.action_items(context.meeting)
    return {"items": items.model_dump(), "method": _method(context)}


def show_title(transcript: Transcript, output: Output, events: Recorder) -> None:
    transcript.title = output["title"]
    if output["title"]:
        events.add(EventName.FINAL_TITLE, {"title": output["title"]})


def show_summary(transcript: Transcript, output: Output, events: Recorder) -> None:
    transcript.short_summary, transcript.long_summary = output["short"], output["long"]
    if output["short"]:
        events.add(EventName.FINAL_LONG_SUMMARY, {"long_summary": output["long"]})
        events.add(EventName.FINAL_SHORT_SUMMARY, {"short_summary": output["short"]})


def show_actions(transcript: Transcript, output: Output, events: Recorder) -> None:
    transcript.action_items = output["items"]
    events.add(EventName.ACTION_ITEMS, {"action_items": output["items"]})
