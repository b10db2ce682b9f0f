"""Define bodies of requests and responses about notes."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

LONGEST = 10_000
# Longer than any recording, and shorter than what a number of a database holds
LATEST_SECONDS = 1e7
At = Annotated[float, Field(ge=0, le=LATEST_SECONDS, allow_inf_nan=False)]
NoteText = Annotated[str, Field(max_length=LONGEST)]


class Note(BaseModel):
    """A note. `at` is in seconds from the beginning; without `text` it is a bookmark."""

    id: str
    at: float
    text: str


class CreateNote(BaseModel):
    at: At
    text: NoteText = ""


class UpdateNote(BaseModel):
    text: NoteText
