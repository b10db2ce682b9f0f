"""Enforce the maximum size of requests, whatever length they announce."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reflector.runtime.sizes import readable_size

FORM_BYTES = 1 << 20  # overhead of a form around its file


class RequestSizes:
    """Refuse (413) requests whose body is larger than the limit.

    A request is refused by its announced length, or as soon as more than the limit has arrived.
    """

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        """Take the limit in bytes for each path from `limit_of`."""
        self._app, self._limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        announced = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await self._refuse(limit)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _Exceeded
            return message

        async def watched(message: Message) -> None:
            if received <= limit:  # otherwise the application would answer that the body broke off
                await send(message)

        with suppress(_Exceeded):
            await self._app(scope, counted, watched)
        if received > limit:
            await self._refuse(limit)(scope, receive, send)

    @staticmethod
    def _refuse(limit: int) -> JSONResponse:
        sentence = f"The request is larger than the {readable_size(limit)} that this server takes."
        return JSONResponse({"detail": sentence}, 413, {"Connection": "close"})


class _Exceeded(ClientDisconnect):
    """Ends the reading of a body, as if the client had disconnected."""
