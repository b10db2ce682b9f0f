"""Requests that another site's page makes in a visitor's browser."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


class SameOrigin:
    """Refuses (403) requests with a foreign `Origin`, and a foreign `Host` on loopback.

    Browsers send `Origin` with every request that can change something and with every WebSocket.
    A name that resolves to 127.0.0.1 makes a foreign page look like this server's own (DNS
    rebinding); a connection to loopback is therefore asked for a loopback `Host`, or for that of an
    allowed origin, under which a proxy on this machine is reached.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self._app = app
        self._allowed = set(allowed)
        self._names = LOCAL_NAMES | {urlsplit(origin).hostname or "" for origin in allowed}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._trusted(scope):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse({"detail": "This request came from another site's page."}, 403)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)

    def _trusted(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        server = scope.get("server") or ("", None)
        if server[0] in LOCAL_NAMES and _name(host) not in self._names:
            return False
        origin = headers.get("origin")
        if origin is None or origin in self._allowed or "*" in self._allowed:
            return True
        return urlsplit(origin).netloc == host


def _name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""
