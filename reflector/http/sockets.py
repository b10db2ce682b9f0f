"""Authenticate WebSockets: a browser cannot send headers with them, so a token is a sub-protocol."""

from __future__ import annotations

from fastapi import WebSocket

from reflector.accounts.identity import Credentials
from reflector.http.deps import credentials_of

SUBPROTOCOL = "bearer"
# How often a socket's rights are checked if no event says that they changed
CHECK_SECONDS = 30.0
# Close codes (RFC 6455 and the registry of IANA): do not try again, and try again later
NOT_ALLOWED, TRY_AGAIN = 1008, 1013


def _offered_token(socket: WebSocket) -> str | None:
    """Return the token of `Sec-WebSocket-Protocol: bearer, TOKEN`."""
    offered = socket.scope.get("subprotocols") or []
    return offered[1] if len(offered) > 1 and offered[0] == SUBPROTOCOL else None


async def accept(socket: WebSocket) -> None:
    await socket.accept(SUBPROTOCOL if _offered_token(socket) else None)


def socket_credentials(socket: WebSocket) -> Credentials:
    return credentials_of(socket, _offered_token(socket), socket.headers.get("x-api-key"))
