"""Define bodies of requests and responses about tags."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

COLOURS = 12


def _one_line(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise ValueError("a tag needs a name")
    return plain


Name = Annotated[str, Field(max_length=60), AfterValidator(_one_line)]
Colour = Annotated[int, Field(ge=0, lt=COLOURS)]


class Tag(BaseModel):
    """A tag. `transcripts` is how many recordings have it, without those in the trash."""

    id: str
    name: str
    colour: int
    transcripts: int


class CreateTag(BaseModel):
    name: Name
    colour: Colour = 0


class UpdateTag(BaseModel):
    name: Name | None = None
    colour: Colour | None = None
