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
    """A step. `recording` is a title only for who may read the recording."""

    transcript_id: str
    recording: str
    run: int
    step: str
    state: str
    attempt: int
    worker: str | None
    started_at: datetime | None
    retry_at: datetime | None
    finished_at: datetime | None
    error: str | None


class StorageShare(BaseModel):
    """What the recordings of one account take; without one, what belongs to nobody."""

    user_id: str | None
    email: str | None
    recordings: int
    bytes: int


class Model(BaseModel):
    """A speech model. `bytes` and `licence` are not known of one that was put there by hand."""

    name: str
    bytes: int | None
    licence: str | None
    can_be_verified: bool


class ModelCheck(BaseModel):
    """What is missing or changed in a model; nothing if it is as it was."""

    problems: list[str]


class Update(BaseModel):
    """A version that the machine was given. Times are in ISO 8601.

    `outcome` is `waiting`, `proven`, `failed` or `left`; `reasons` say why its starts failed.
    """

    version: str
    before: str | None = None
    came: str
    outcome: str
    decided: str | None = None
    reasons: list[str] = []


class Versions(BaseModel):
    reflector: str
    python: str
    system: str
    schema_revision: str
    updates: list[Update]
