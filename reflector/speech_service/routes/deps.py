"""Provide what routes depend on, and check the API key."""

from __future__ import annotations

import hmac
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from reflector.errors import Unauthenticated
from reflector.runtime.settings import Settings
from reflector.speech_service.limiter import RequestLimiter
from reflector.speech_service.routes.errors import answer
from reflector.speech_service.work import SpeechWork
from reflector.translation.translator import Translator

INVALID_KEY = "Invalid API key"


def _work(request: Request) -> SpeechWork:
    return cast(SpeechWork, request.app.state.work)


def _limiter(request: Request) -> RequestLimiter:
    return cast(RequestLimiter, request.app.state.limiter)


def _translator(request: Request) -> Translator:
    return cast(Translator, request.app.state.translator)


WorkDep = Annotated[SpeechWork, Depends(_work)]
LimiterDep = Annotated[RequestLimiter, Depends(_limiter)]
TranslatorDep = Annotated[Translator, Depends(_translator)]


class KeyFirst:
    """Refuse a request without the key before its body is read.

    This only saves traffic; `require_key` is what protects the routes.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"POST", "PUT", "PATCH"}:
            authorization = Headers(scope=scope).get("authorization", "")
            if not has_key(self._settings, authorization):
                refusal = answer(Unauthenticated.http_status, INVALID_KEY)
                refusal.headers["Connection"] = "close"
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def has_key(settings: Settings, authorization: str) -> bool:
    key = settings.REFLECTOR_GPU_APIKEY
    if key is None:
        return True
    scheme, _, given = authorization.partition(" ")
    expected = key.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), expected)


def require_key(request: Request, work: WorkDep) -> None:
    if not has_key(work.settings, request.headers.get("authorization", "")):
        raise Unauthenticated(INVALID_KEY)
