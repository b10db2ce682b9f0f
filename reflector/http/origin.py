"""Refuse requests that a page of another site makes in a visitor's browser."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

FOREIGN = (
    "This request came from another site's page, or under a name that this server does not know: "
    "set BASE_URL to the address under which people reach it."
)
LOCAL_ENDINGS = (".local", ".localhost", ".home.arpa", ".internal")
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


class SameOrigin:
    """Refuse (403) requests with a foreign `Origin` or a foreign `Host`.

    Browsers send `Origin` with every request that can change something and with every WebSocket. A
    foreign name that resolves to this server's address makes a foreign page look like its own (DNS
    rebinding). So only names that nobody else can register are accepted: addresses, names without a
    dot or of the local network (RFC 6762, RFC 8375), and those of `own` and `allowed`. On loopback,
    only `localhost` and those of `own` and `allowed` are accepted: a proxy on this machine forwards
    them.

    `own` are this server's URLs. `allowed` are origins.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str], own: Sequence[str] = ()) -> None:
        self._app = app
        self._allowed = set(allowed)
        self._names = LOCAL_NAMES | {urlsplit(url).hostname or "" for url in (*allowed, *own)}
        self._names -= {""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or self._trusted(scope):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse({"detail": FOREIGN}, 403)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)

    def _trusted(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        server = scope.get("server") or ("", None)
        name = _name(host)
        if name not in self._names and (server[0] in LOCAL_NAMES or _can_be_anybodys(name)):
            return False
        origin = headers.get("origin")
        if origin is None or origin in self._allowed or "*" in self._allowed:
            return True
        return urlsplit(origin).netloc == host


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _can_be_anybodys(name: str) -> bool:
    """Return whether somebody can register `name` and point it to this server."""
    if "." not in name.rstrip(".") or name.endswith(LOCAL_ENDINGS):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
