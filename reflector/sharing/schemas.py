"""Define bodies of requests and responses about sharing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from reflector.db.models import ShareLevel

LONGEST_DAYS = 3650
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
# A link has a token of its own that cannot be guessed; a password protects it where it is passed on
LinkPassword = Annotated[str, Field(min_length=4, max_length=200)]


class SharePerson(BaseModel):
    """Whom to share with: the e-mail address of an account of this server."""

    email: Annotated[str, Field(min_length=1, max_length=320)]
    level: ShareLevel = ShareLevel.VIEW


class SharedPerson(BaseModel):
    user_id: str
    email: str
    level: ShareLevel


class CreateShareLink(BaseModel):
    """A new link. Without `expires_in_days` it stays open until it is removed."""

    expires_in_days: Days | None = None
    password: LinkPassword | None = None
    with_sound: bool = False


class ShareLink(BaseModel):
    """A link. `url` begins with the address that the server was asked under."""

    id: str
    url: str
    created_at: datetime
    expires_at: datetime | None
    is_expired: bool
    has_password: bool
    with_sound: bool
    last_opened_at: datetime | None


class Shares(BaseModel):
    people: list[SharedPerson]
    links: list[ShareLink]
