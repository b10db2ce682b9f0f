"""Serve login, the caller's own account and API keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from reflector.accounts import keys, schemas
from reflector.accounts.access import Caller
from reflector.accounts.login import check_password
from reflector.accounts.tokens import LOGIN_SECONDS
from reflector.db.models import UserApiKey
from reflector.errors import NotFound, PasswordChangeNeeded, Unauthenticated
from reflector.events.outbox import tell_signed_out
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller, client_address
from reflector.http.schemas import StatusAnswer

router = APIRouter()
login_router = APIRouter()


@login_router.post("/auth/login", tags=["auth"])
def login(
    request: Request, services: ServicesDep, info: schemas.LoginRequest
) -> schemas.LoginResponse:
    user = check_password(services.db, info.email, info.password, client_address(request))
    if user.must_change_password:
        raise PasswordChangeNeeded
    token = services.identity.signer.login(user.id, user.email, user.token_version)
    return schemas.LoginResponse(access_token=token, expires_in=LOGIN_SECONDS)


@router.get("/me", tags=["user"])
def user_me(caller: AnyCaller) -> schemas.UserInfo | None:
    if caller.user_id is None:
        return None
    return schemas.UserInfo(sub=caller.user_id, email=caller.email)


def _account(caller: UserCaller) -> Caller:
    """Return the caller. Raises Unauthenticated if anonymous: API keys belong to accounts."""
    if caller.is_anonymous:
        raise Unauthenticated("Not authenticated")
    return caller


Account = Annotated[Caller, Depends(_account)]


@router.get("/user/api-keys", tags=["user"])
def list_api_keys(services: ServicesDep, caller: Account) -> list[schemas.ApiKeyResponse]:
    assert caller.user_id is not None
    with services.db.read() as session:
        rows = keys.of_account(session, caller.user_id)
    return [schemas.ApiKeyResponse(**_fields(row)) for row in rows]


@router.post("/user/api-keys", tags=["user"])
def create_api_key(
    services: ServicesDep, caller: Account, info: schemas.CreateApiKeyRequest
) -> schemas.CreateApiKeyResponse:
    """Create an API key. The answer holds the key itself, which cannot be shown again."""
    assert caller.user_id is not None
    with services.db.write() as session:
        row, key = keys.create(
            session, services.settings, caller.user_id, info.name, info.expires_in_days
        )
    return schemas.CreateApiKeyResponse(**_fields(row), key=key)


@router.delete("/user/api-keys/{key_id}", tags=["user"])
def delete_api_key(services: ServicesDep, caller: Account, key_id: str) -> StatusAnswer:
    assert caller.user_id is not None
    with services.db.write() as session:
        gone = keys.remove(session, caller.user_id, key_id)
    services.identity.forget()
    tell_signed_out(services.bus, caller.user_id)
    if not gone:
        raise NotFound("Not Found")
    return StatusAnswer()


def _fields(row: UserApiKey) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": row.name,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
    }
