"""Response headers that keep a page to itself."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA = "media-src 'self' blob:"
CONTENT_POLICY = (
    f"default-src 'self'; img-src 'self' data:; {MEDIA}; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


# The API's documentation pages start themselves with a script in the page.
DOCUMENTATION_PATHS = ("/docs", "/redoc")
DOCUMENTATION_POLICY = (
    CONTENT_POLICY + "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)


class PageHeaders:
    """A plain ASGI layer: Starlette's `BaseHTTPMiddleware` would copy every upload once more.

    `media_origin` is where audio may come from besides this server: the storage, where it has an
    address for browsers.
    """

    def __init__(self, app: ASGIApp, media_origin: str | None = None) -> None:
        self._app = app
        self._policy = CONTENT_POLICY
        if media_origin:
            self._policy = CONTENT_POLICY.replace(MEDIA, f"{MEDIA} {media_origin}")

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
                    policy = DOCUMENTATION_POLICY if documentation else self._policy
                    headers["Content-Security-Policy"] = policy
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, with_headers)
