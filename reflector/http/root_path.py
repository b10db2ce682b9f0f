"""Serve under a path of another host: `ROOT_PATH=/reflector`."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RootPath:
    """Give every request its full path under `root`, and keep redirects under it.

    Some proxies remove the prefix and some do not. Starlette finds mounted files only if the path
    begins with the root path.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self._app, self._root = app, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        scope = {**scope, "root_path": self._root}
        if not self._is_below(scope["path"]):
            raw = scope.get("raw_path")
            scope["path"] = self._root + scope["path"]
            scope["raw_path"] = self._root.encode() + raw if raw else None

        async def with_location(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                location = headers.get("location", "")
                if location.startswith("/") and not self._is_below(location):
                    headers["location"] = self._root + location
            await send(message)

        await self._app(scope, receive, with_location)

    def _is_below(self, path: str) -> bool:
        return path == self._root or path.startswith((f"{self._root}/", f"{self._root}?"))
