"""Define bodies of requests and responses about tags."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from reflector.http.schemas import OneLine, SpokenLanguage, Vocabulary

COLOURS = 12


Colour = Annotated[int, Field(ge=0, lt=COLOURS)]


class Defaults(BaseModel):
    """What recordings with a tag get unless their own options say otherwise.

    `language` is for recordings whose language is not chosen. Recordings older than
    `retention_days` are moved to the trash.
    """

    vocabulary: Vocabulary | None = None
    language: SpokenLanguage | None = None
    summary_template_id: Annotated[str, Field(max_length=100)] | None = None
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None


class Tag(Defaults):
    """A tag. `transcripts` is how many recordings have it, without those in the trash."""

    id: str
    name: str
    colour: int
    transcripts: int


class CreateTag(Defaults):
    name: OneLine
    colour: Colour = 0


class UpdateTag(Defaults):
    """Only the fields that are sent are written; null takes a default away."""

    name: OneLine | None = None
    colour: Colour | None = None
