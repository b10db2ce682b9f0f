"""Add response headers that isolate the pages from other sites."""

from __future__ import annotations

from starlette._utils import get_route_path
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA = "media-src 'self' blob:"
CONTENT_POLICY = (
    f"default-src 'self'; object-src 'none'; img-src 'self' data:; {MEDIA}; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


# A response that is not a page must not act as one, opened directly or in a frame
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
# For the page that a browser builds around audio that is opened directly
SOUND_POLICY = f"{DATA_POLICY}; media-src 'self'; style-src 'unsafe-inline'"
# The API's documentation pages start with an inline script
SERVICE_WORKER = "/service-worker.js"
DOCUMENTATION_PATHS = ("/docs", "/redoc")
DOCUMENTATION_POLICY = (
    CONTENT_POLICY + "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)


class PageHeaders:
    """Add security headers as plain ASGI middleware.

    Starlette's `BaseHTTPMiddleware` would copy every upload once more. `media_origin` is another
    origin for audio: the storage, if browsers can reach it directly.
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

        # Read the path before a mount changes the scope
        path = get_route_path(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if headers.get("content-type", "").startswith("text/html"):
                    documentation = path.startswith(DOCUMENTATION_PATHS)
                    policy = DOCUMENTATION_POLICY if documentation else self._policy
                    headers["Content-Security-Policy"] = policy
                    headers["Cache-Control"] = "no-store"
                else:
                    kind = headers.get("content-type", "")
                    headers["Content-Security-Policy"] = _policy_of_data(path, kind)
                # The address contains a hash of the files, so its content never changes
                if path.startswith("/static/") and message["status"] in {200, 206, 304}:
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
                if path.startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


def _policy_of_data(path: str, content_type: str) -> str:
    if path == SERVICE_WORKER:
        return CONTENT_POLICY  # it fetches for the pages, under its own policy
    return SOUND_POLICY if content_type.startswith("audio/") else DATA_POLICY
