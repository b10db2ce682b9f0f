"""Define answers that several subjects share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

NonEmpty = Annotated[str, Field(min_length=1)]


class StatusAnswer(BaseModel):
    status: str = "ok"
