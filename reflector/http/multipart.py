"""Write the file of a multipart form to disk as it arrives.

Starlette's own form parser writes each file twice (to a temporary file, from which the route copies
it) and does not handle a full disk. The second copy is noticeable at hundreds of megabytes a
second.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from reflector.errors import N_, InvalidInput, Paused

IDLE_SECONDS = 30.0
SLOWEST = 4096  # bytes per second, on average
PAUSED = N_("The upload paused for too long. Send this chunk again; what came before is kept.")
MAX_OTHER_BYTES = 1 << 20
FLUSH_BYTES = 2 << 20
WRITEBACK_BYTES = 8 << 20


class FilePart:
    """Write the body of the part `field` to `out`; `filename` is known once the part starts."""

    def __init__(self, content_type: str, field: str, out: BinaryIO) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise InvalidInput(f"The request must be a multipart form with the file in `{field}`.")
        self.filename: str | None = None
        self.found = self.finished = False
        self._field, self._out = field.encode(), out
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._active = False
        self._other = 0
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": lambda data, a, b: self._header_name(data[a:b]),
            "on_header_value": lambda data, a, b: self._header_value(data[a:b]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._end,
        }
        self._parser = MultipartParser(options[b"boundary"], callbacks)

    def write(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise InvalidInput("The form of the request is malformed.") from error

    def _begin(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes) -> None:
        self._name += data

    def _header_value(self, data: bytes) -> None:
        self._value += data

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._active = options.get(b"name") == self._field and not self.found
        if self._active:
            self.found = True
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace") or None

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._active:
            self._out.write(memoryview(data)[start:end])
            return
        self._other += end - start
        if self._other > MAX_OTHER_BYTES:
            raise InvalidInput("The form holds more than the file.")

    def _end(self) -> None:
        self.finished = True


class Writeback:
    """Write data back to the disk while more arrives, so that the final sync is short."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._synced = out.tell()
        self._task: asyncio.Task[None] | None = None

    def start_if_due(self) -> None:
        if self._out.tell() - self._synced < WRITEBACK_BYTES or not (
            self._task is None or self._task.done()
        ):
            return
        self._synced = self._out.tell()
        self._task = asyncio.create_task(run_in_threadpool(os.fdatasync, self._out.fileno()))

    async def finish(self) -> None:
        """Wait for the last write-back. Raises OSError if the disk did not accept the data."""
        if self._task is not None:
            await self._task


async def _without_pauses(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of `stream`. Raises Paused if it is too slow: others wait for this slot.

    A client that sends a byte now and then could hold its slot; the average rate `SLOWEST` prevents
    that.
    """
    began, received = monotonic(), 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:
            while True:
                limit.reschedule(loop.time() + IDLE_SECONDS)
                data = await anext(stream, None)
                limit.reschedule(None)
                if data is None:
                    return
                received += len(data)
                if monotonic() - began > IDLE_SECONDS + received / SLOWEST:
                    raise Paused(PAUSED)
                yield data
    except TimeoutError as error:
        raise Paused(PAUSED) from error


async def receive_file(request: Request, field: str, out: BinaryIO) -> FilePart:
    """Write the form's file to `out`. Raises InvalidInput if it is missing or incomplete.

    Raises Paused if the client is too slow.
    """
    part = FilePart(request.headers.get("content-type", ""), field, out)
    waiting = bytearray()
    writeback = Writeback(out)
    try:
        async for data in _without_pauses(request.stream()):
            waiting += data
            if len(waiting) >= FLUSH_BYTES:
                await run_in_threadpool(part.write, bytes(waiting))
                waiting.clear()
                writeback.start_if_due()
    except ClientDisconnect as error:
        raise InvalidInput("The connection ended before the chunk was complete.") from error
    finally:
        await writeback.finish()
    await run_in_threadpool(part.write, bytes(waiting))
    if not part.found:
        raise InvalidInput(f"The form has no file in the field `{field}`.")
    if not part.finished:
        raise InvalidInput("The form ended before the chunk was complete.")
    return part
