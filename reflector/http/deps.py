"""Provide what routes depend on: the services of this process, and the caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from reflector.accounts.access import Caller, RouteAccess
from reflector.accounts.identity import Credentials
from reflector.errors import PasswordChangeNeeded
from reflector.http.response_cache import ResponseCache
from reflector.pipeline.queue.dispatch import Dispatcher
from reflector.services import Services

SESSION_COOKIE = "reflector_session"
VISIT_COOKIE = "reflector_visit"
# Browsers accept a cookie with this prefix only from its own host and over HTTPS (RFC 6265bis)
HOST_PREFIX = "__Host-"
# All that opens to who still has a first password
CHANGES_PASSWORD = {"/account", "/account/password", "/account/sign-out-everywhere", "/language"}
_bearer = OAuth2PasswordBearer(tokenUrl="/v1/auth/login", auto_error=False)
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False)


def services_of(connection: HTTPConnection) -> Services:
    return cast(Services, connection.app.state.services)


def _services(request: Request) -> Services:
    return services_of(request)


def _dispatcher(request: Request) -> Dispatcher:
    return cast(Dispatcher, request.app.state.dispatcher)


def client_address(request: Request) -> str:
    """Return the client's address, not that of a proxy.

    The server trusts `X-Forwarded-For` only from TRUSTED_PROXIES.
    """
    return request.client.host if request.client else "unknown"


def cookie_name(connection: HTTPConnection, name: str) -> str:
    """Return the cookie's name: prefixed over HTTPS, plain over HTTP, which forbids the prefix."""
    is_secure = connection.url.scheme in {"https", "wss"}
    return HOST_PREFIX + name if is_secure else name


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts cannot read, and that other sites' pages do not send with forms."""
    response.set_cookie(
        cookie_name(request, name), value, max_age=seconds, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def session_cookie(connection: HTTPConnection) -> str | None:
    return connection.cookies.get(cookie_name(connection, SESSION_COOKIE))


def visit_cookie(connection: HTTPConnection) -> str | None:
    return connection.cookies.get(cookie_name(connection, VISIT_COOKIE))


def credentials_of(
    connection: HTTPConnection, bearer: str | None, api_key: str | None = None
) -> Credentials:
    if not is_own_page(connection.headers):
        return Credentials(bearer, api_key)
    return Credentials(bearer, api_key, session_cookie(connection), visit_cookie(connection))


async def caller_of(
    connection: HTTPConnection, bearer: str | None, api_key: str | None = None
) -> Caller:
    """Return the caller of this request.

    Raises Unauthenticated if the credentials are not valid.
    """
    identity = services_of(connection).identity
    credentials = credentials_of(connection, bearer, api_key)
    if (known := identity.remembered(credentials)) is not None:
        return known
    return await run_in_threadpool(identity.resolve, credentials)


def is_own_page(headers: Headers) -> bool:
    """Return whether no page of another site made the request.

    A browser adds the cookie by itself, even to requests from other pages of the same host.
    """
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _at(access: RouteAccess) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        request: Request,
        bearer: Annotated[str | None, Depends(_bearer)],
        api_key: Annotated[str | None, Depends(_api_key)],
    ) -> Caller:
        found = await caller_of(request, bearer, api_key)
        if found.must_change_password and get_route_path(request.scope) not in CHANGES_PASSWORD:
            raise PasswordChangeNeeded
        services_of(request).identity.policy.admit(found, access)
        return found

    return caller


def _response_cache(request: Request) -> ResponseCache:
    return cast(ResponseCache, request.app.state.response_cache)


ResponseCacheDep = Annotated[ResponseCache, Depends(_response_cache)]
ServicesDep = Annotated[Services, Depends(_services)]
DispatcherDep = Annotated[Dispatcher, Depends(_dispatcher)]
AnyCaller = Annotated[Caller, Depends(_at(RouteAccess.ANY))]
PublicCaller = Annotated[Caller, Depends(_at(RouteAccess.PUBLIC))]
UserCaller = Annotated[Caller, Depends(_at(RouteAccess.USER))]
