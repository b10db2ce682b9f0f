"""How much at once: bytes of a request and of a recording, free space, uploads."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reflector.errors import Busy, OutOfSpace, TooLarge
from reflector.settings import Settings
from reflector.units import in_words

UPLOAD_PATH = "/record/upload"
FORM_BYTES = 1 << 20  # what a form adds to the file in it


class RequestSizes:
    """Refuses (413) requests whose body is larger than the limits, by its announced length or as
    soon as more than that has come."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limit = settings.MAX_REQUEST_BYTES
        self._upload_limit = settings.MAX_CHUNK_BYTES + FORM_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        upload = scope["path"].endswith(UPLOAD_PATH)
        limit = self._upload_limit if upload else self._limit
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
            if received <= limit:  # otherwise the application answers that the body broke off
                await send(message)

        with suppress(_Exceeded):
            await self._app(scope, counted, watched)
        if received > limit:
            await self._refuse(limit)(scope, receive, send)

    @staticmethod
    def _refuse(limit: int) -> JSONResponse:
        sentence = f"The request is larger than the {in_words(limit)} that this server takes."
        return JSONResponse({"detail": sentence}, 413, {"Connection": "close"})


class _Exceeded(ClientDisconnect):
    """Ends the reading of a body like a client that has gone."""


class Admission:
    """Counts the uploads of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._active = 0

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Busy or OutOfSpace where one more would be too many."""
        settings = self._settings
        refuse_without_space(settings)
        with self._lock:
            if self._active >= settings.MAX_UPLOADS:
                raise Busy(
                    f"{settings.MAX_UPLOADS} uploads are running already. Send this chunk again "
                    "in a moment; what came before is kept."
                )
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1


def refuse_without_space(settings: Settings) -> None:
    free = shutil.disk_usage(settings.uploads_dir).free
    if free < settings.MIN_FREE_BYTES:
        raise OutOfSpace(
            f"The server has only {in_words(free)} of free space left and takes no recordings "
            f"below {in_words(settings.MIN_FREE_BYTES)}. What came before is kept."
        )


def refuse_large_recording(settings: Settings, size: int) -> None:
    if size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(
            f"A recording may have at most {in_words(settings.MAX_UPLOAD_BYTES)}; "
            "this one has more."
        )
