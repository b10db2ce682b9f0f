"""Define the input and the results of an analysis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from reflector.transcript.formats import Names, shown_name
from reflector.transcript.words import Segment, Word, segment_ranges, segments

MAX_LINE_CHARS = 600
# A server that enforces the schema stops a small model here, which might go on for ever. Longer
# answers of other servers are accepted
Line = Annotated[str, Field(json_schema_extra={"maxLength": 300})]
Paragraph = Annotated[str, Field(json_schema_extra={"maxLength": 1500})]
MOST_ITEMS: dict[str, JsonValue] = {"maxItems": 20}


class Method(StrEnum):
    LLM = "llm"
    EXTRACTIVE = "extractive"


@dataclass(frozen=True)
class Meeting:
    """The meeting to analyse.

    `words` are in order. `names` are those of speakers that have one. `language` is a code like
    `en`.
    """

    words: Sequence[Word]
    names: Names
    language: str

    @cached_property
    def ranges(self) -> list[tuple[int, int]]:
        """Word ranges of `segments`; each is short enough for a prompt."""
        return segment_ranges(self.words, hard_limit=MAX_LINE_CHARS)

    @cached_property
    def segments(self) -> list[Segment]:
        return segments(self.words, hard_limit=MAX_LINE_CHARS)

    def line(self, segment: Segment) -> str:
        return f"{shown_name(self.names, segment.speaker)}: {segment.text}"

    @property
    def minutes(self) -> float:
        return (self.words[-1].end - self.words[0].start) / 60 if self.words else 0.0


class Answer(BaseModel):
    """A base class for answers of a model: exactly these fields are allowed."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class TopicDraft:
    """A topic: the words `[first, last)` of the meeting, with a title and a summary."""

    first: int
    last: int
    title: str
    summary: str


class Decision(Answer):
    decision: Line = Field(min_length=1)
    rationale: Line | None = None
    decided_by: Line | None = None


class NextStep(Answer):
    task: Line = Field(min_length=1)
    assigned_to: Line | None = None
    deadline: Line | None = None
    context: Line | None = None


class ActionItems(Answer):
    decisions: list[Decision] = Field(default=[], json_schema_extra=MOST_ITEMS)
    next_steps: list[NextStep] = Field(default=[], json_schema_extra=MOST_ITEMS)


@dataclass(frozen=True)
class Summary:
    """A summary of the meeting. `short` is one paragraph, `long` is Markdown."""

    short: str
    long: str


Progress = Callable[[float], None]
"""Called with the fraction that is done."""


class Analyst(Protocol):
    @property
    def method(self) -> Method: ...

    @property
    def name(self) -> str:
        """A name for all that determines the answers. It is part of a step's digest."""

    def topics(self, meeting: Meeting, progress: Progress) -> list[TopicDraft]: ...

    def title(self, meeting: Meeting, topics: Sequence[TopicDraft]) -> str: ...

    def summary(
        self, meeting: Meeting, topics: Sequence[TopicDraft], instructions: str | None = None
    ) -> Summary:
        """Summarise the meeting, as `instructions` say where the analyst can follow them."""

    def action_items(self, meeting: Meeting) -> ActionItems: ...


def clean_title(title: str) -> str:
    """Remove quotes around a title, and capitalise each word over 3 letters."""
    bare = " ".join(title.split()).strip("\"'“”‘’«»„ ").rstrip(".")
    return " ".join(
        word[0].upper() + word[1:] if index == 0 or len(word) > 3 else word
        for index, word in enumerate(bare.split())
    )


def long_summary(recap: str, subjects: Sequence[tuple[str, str]]) -> str:
    """Return the reference's Markdown layout: a recap, then a paragraph for each subject."""
    parts = ["# Quick recap", recap.strip(), "# Summary"]
    parts += [f"**{name.strip()}**\n{paragraph.strip()}" for name, paragraph in subjects]
    return "\n\n".join(parts) + "\n"
