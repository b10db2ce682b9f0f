"""Response headers that keep a page to itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


# The API's documentation pages start themselves with a script in the page.
DOCUMENTATION_PATHS = ("/docs", "/redoc")
DOCUMENTATION_POLICY = (
    CONTENT_POLICY + "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)


class PageHeaders:
    """A plain ASGI layer: Starlette's `BaseHTTPMiddleware` would copy every upload once more."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if headers.get("content-type", "").startswith("text/html"):
                    documentation = scope["path"].startswith(DOCUMENTATION_PATHS)
                    policy = DOCUMENTATION_POLICY if documentation else CONTENT_POLICY
                    headers["Content-Security-Policy"] = policy
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, with_headers)
