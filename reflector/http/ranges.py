"""Serve a stored object with byte ranges, or lead to the storage that serves it."""

from __future__ import annotations

import re

from fastapi.requests import Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from reflector.errors import NotFound
from reflector.storage.store import Storage

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
DIGITS = 18


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return `[start, end)` of a single byte range; None if it cannot be satisfied.

    See RFC 9110, section 14.1.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", "") or any(len(g) > DIGITS for g in match.groups()):
        return None
    first, last = match.groups()
    if first == "":
        length = int(last)
        return (max(0, size - length), size) if length else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def serve(
    request: Request, storage: Storage, key: str, media_type: str, name: str, missing: str
) -> Response:
    """Answer a request for an object. `name` is the file's name for who stores it.

    Raises NotFound with the sentence `missing` if there is no such object.
    """
    if (link := storage.link(key)) is not None:
        return RedirectResponse(link, 307, {"Cache-Control": "private, no-store"})
    size = storage.size(key)
    if size is None:
        raise NotFound(missing)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"inline; filename={name}",
        "Content-Encoding": "identity",
        "Cache-Control": "private, no-cache",
    }
    status, start, end = 200, 0, size
    if wanted := request.headers.get("range"):
        found = parse_range(wanted, size)
        if found is None:
            return Response(
                status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"}
            )
        status, (start, end) = 206, found
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    body = storage.read_range(key, start, end)
    return StreamingResponse(body, status, headers, media_type=media_type)
