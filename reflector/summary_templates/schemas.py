"""Define bodies of requests and responses about summary templates."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from reflector.http.schemas import OneLine


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("say what a summary should contain")
    return text.strip()


Instructions = Annotated[str, Field(max_length=2000), AfterValidator(_filled)]


class SummaryTemplate(BaseModel):
    """A template. `is_mine` says that the caller may change it."""

    id: str
    name: str
    instructions: str
    is_for_all: bool
    is_mine: bool


class CreateSummaryTemplate(BaseModel):
    name: OneLine
    instructions: Instructions
    is_for_all: bool = False


class UpdateSummaryTemplate(BaseModel):
    name: OneLine | None = None
    instructions: Instructions | None = None
    is_for_all: bool | None = None
