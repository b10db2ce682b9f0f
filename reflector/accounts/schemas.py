"""Define request and response bodies for accounts, with the same fields as the reference."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from reflector.accounts.keys import DAYS, MAX_DAYS
from reflector.http.schemas import NonEmpty


class LoginRequest(BaseModel):
    email: str
    password: str


class LoginResponse(BaseModel):
    """A login token. `expires_in` is in seconds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the token's type, not a secret
    expires_in: int


class UserInfo(BaseModel):
    sub: str
    email: str | None


class CreateApiKeyRequest(BaseModel):
    name: NonEmpty | None = None
    expires_in_days: int = Field(default=DAYS, ge=1, le=MAX_DAYS)


class ApiKeyResponse(BaseModel):
    id: NonEmpty
    user_id: NonEmpty
    name: NonEmpty | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class CreateApiKeyResponse(ApiKeyResponse):
    key: NonEmpty
