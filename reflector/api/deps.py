"""What routes ask for: the services of this process, and who is asking."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from reflector.api.kept import KeptAnswers
from reflector.auth.access import Caller, Door
from reflector.auth.identity import Credentials
from reflector.pipeline.dispatch import Dispatcher
from reflector.services import Services

COOKIE = "reflector_session"
_bearer = OAuth2PasswordBearer(tokenUrl="/v1/auth/login", auto_error=False)
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False)


def services_of(connection: HTTPConnection) -> Services:
    return cast(Services, connection.app.state.services)


def _services(request: Request) -> Services:
    return services_of(request)


def _dispatcher(request: Request) -> Dispatcher:
    return cast(Dispatcher, request.app.state.dispatcher)


async def caller_of(
    connection: HTTPConnection, bearer: str | None, api_key: str | None = None
) -> Caller:
    """Who made this request; Unauthenticated where its credentials are not valid."""
    identity = services_of(connection).identity
    cookie = connection.cookies.get(COOKIE) if is_own_page(connection.headers) else None
    credentials = Credentials(bearer, api_key, cookie)
    if (known := identity.remembered(credentials)) is not None:
        return known
    return await run_in_threadpool(identity.resolve, credentials)


def is_own_page(headers: Headers) -> bool:
    """Whether no other site's page made the request: a browser adds the cookie by itself, also to
    what another page of the same host asks for."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _at(door: Door) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        request: Request,
        bearer: Annotated[str | None, Depends(_bearer)],
        api_key: Annotated[str | None, Depends(_api_key)],
    ) -> Caller:
        found = await caller_of(request, bearer, api_key)
        services_of(request).identity.policy.admit(found, door)
        return found

    return caller


def _kept(request: Request) -> KeptAnswers:
    return cast(KeptAnswers, request.app.state.kept)


KeptDep = Annotated[KeptAnswers, Depends(_kept)]
ServicesDep = Annotated[Services, Depends(_services)]
DispatcherDep = Annotated[Dispatcher, Depends(_dispatcher)]
AnyCaller = Annotated[Caller, Depends(_at(Door.ANY))]
PublicCaller = Annotated[Caller, Depends(_at(Door.PUBLIC))]
UserCaller = Annotated[Caller, Depends(_at(Door.USER))]
