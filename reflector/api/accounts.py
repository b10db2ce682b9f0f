"""Login, who one is, API keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import delete, select

from reflector.api import schemas
from reflector.api.deps import AnyCaller, ServicesDep, UserCaller
from reflector.auth import accounts
from reflector.auth.access import Caller
from reflector.auth.limiter import LoginLimiter, TooManyLogins
from reflector.auth.passwords import verify_password
from reflector.auth.tokens import LOGIN_SECONDS
from reflector.db.models import User, UserApiKey
from reflector.errors import Busy, NotFound, Unauthenticated
from reflector.services import Services

router = APIRouter()
login_router = APIRouter()

WRONG = "Invalid email or password"
TOO_MANY = "Too many login attempts. Try again later."


def client_address(request: Request) -> str:
    """The client's, not a proxy's: the server believes `X-Forwarded-For` of TRUSTED_PROXIES only."""
    return request.client.host if request.client else "unknown"


def check_password(services: Services, email: str, password: str, address: str) -> User:
    """The account; Unauthenticated or Busy otherwise, in the same time whatever is wrong."""
    limiter = LoginLimiter(services.db)
    name = accounts.same_email(email)
    try:
        limiter.begin(name, address)
    except TooManyLogins:
        raise Busy(TOO_MANY) from None
    with services.db.read() as session:
        user = accounts.password_account(session, name)
    if not verify_password(password, user.password_hash if user else None) or user is None:
        raise Unauthenticated(WRONG)
    limiter.succeeded(name, address)
    return user


@login_router.post("/auth/login", tags=["auth"])
def login(
    request: Request, services: ServicesDep, info: schemas.LoginRequest
) -> schemas.LoginResponse:
    user = check_password(services, info.email, info.password, client_address(request))
    token = services.identity.signer.login(user.id, user.email, user.token_version)
    return schemas.LoginResponse(access_token=token, expires_in=LOGIN_SECONDS)


@router.get("/me", tags=["user"])
def user_me(caller: AnyCaller) -> schemas.UserInfo | None:
    if caller.user_id is None:
        return None
    return schemas.UserInfo(sub=caller.user_id, email=caller.email)


def _account(caller: UserCaller) -> Caller:
    """Keys belong to accounts: without any there is nobody to give one to."""
    if caller.is_anonymous:
        raise Unauthenticated("Not authenticated")
    return caller


Account = Annotated[Caller, Depends(_account)]


@router.get("/user/api-keys", tags=["user"])
def list_api_keys(services: ServicesDep, caller: Account) -> list[schemas.ApiKeyResponse]:
    with services.db.read() as session:
        rows = session.scalars(
            select(UserApiKey)
            .where(UserApiKey.user_id == caller.user_id)
            .order_by(UserApiKey.created_at.desc())
        ).all()
    return [schemas.ApiKeyResponse(**_fields(row)) for row in rows]


@router.post("/user/api-keys", tags=["user"])
def create_api_key(
    services: ServicesDep, caller: Account, info: schemas.CreateApiKeyRequest
) -> schemas.CreateApiKeyResponse:
    """The answer holds the key itself, which cannot be shown again."""
    assert caller.user_id is not None
    with services.db.write() as session:
        row, key = accounts.new_api_key(session, services.settings, caller.user_id, info.name)
    return schemas.CreateApiKeyResponse(**_fields(row), key=key)


@router.delete("/user/api-keys/{key_id}", tags=["user"])
def delete_api_key(services: ServicesDep, caller: Account, key_id: str) -> schemas.StatusAnswer:
    with services.db.write() as session:
        gone = session.scalar(
            delete(UserApiKey)
            .where(UserApiKey.id == key_id, UserApiKey.user_id == caller.user_id)
            .returning(UserApiKey.id)
        )
    if gone is None:
        raise NotFound("Not Found")
    return schemas.StatusAnswer()


def _fields(row: UserApiKey) -> dict[str, Any]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": row.name,
        "created_at": row.created_at,
    }
