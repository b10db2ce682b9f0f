"""Share what the language steps need: their digest, and the topics of their run."""

from __future__ import annotations

from typing import Any

from reflector.language.meeting import TopicDraft
from reflector.pipeline.context import StepContext
from reflector.pipeline.step import StepName


def depends(context: StepContext) -> list[Any]:
    return [context.services.analyst.name, sorted(context.names.items()), context.language]


def drafts(context: StepContext) -> list[TopicDraft]:
    return [
        TopicDraft(t["first"], t["last"], t["title"], t["summary"])
        for t in context.output(StepName.TOPICS)["topics"]
    ]


def method(context: StepContext) -> str:
    return context.services.analyst.method.value
