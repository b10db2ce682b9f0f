"""Define request and response bodies of administration."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from reflector.accounts.users import MAX_EMAIL


class Person(BaseModel):
    """An account. `recordings` counts those in the trash, too."""

    id: str
    email: str
    created_at: datetime
    last_seen_at: datetime | None
    administrator: bool
    disabled: bool
    recordings: int


class NewPerson(BaseModel):
    email: str = Field(max_length=MAX_EMAIL)


class CreatedPerson(BaseModel):
    """A new account with its first password, which cannot be shown again."""

    id: str
    password: str


class PersonChange(BaseModel):
    """What is to change; None keeps what is there."""

    disabled: bool | None = None
    administrator: bool | None = None


class WorkStep(BaseModel):
    """A step that runs or waits. `recording` is a title only for who may read the recording."""

    transcript_id: str
    recording: str
    run: int
    step: str
    state: str
    attempt: int
    worker: str | None
    started_at: datetime | None
    retry_at: datetime | None
    error: str | None
