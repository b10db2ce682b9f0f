"""Limit request and recording sizes, free disk space and concurrent uploads."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from reflector.errors import Busy, OutOfSpace, TooLarge
from reflector.http.request_sizes import FORM_BYTES
from reflector.runtime.settings import Settings
from reflector.runtime.sizes import readable_size

UPLOAD_PATH = "/record/upload"


def request_limit(settings: Settings, path: str) -> int:
    """Return how many bytes the body of a request to `path` may have."""
    if path.endswith(UPLOAD_PATH):
        return settings.MAX_CHUNK_BYTES + FORM_BYTES
    return settings.MAX_REQUEST_BYTES


class Admission:
    """Limit the concurrent uploads of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._active = 0

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count an upload while it runs. Raises Busy or OutOfSpace if it cannot be accepted."""
        settings = self._settings
        refuse_without_space(settings)
        with self._lock:
            if self._active >= settings.MAX_UPLOADS:
                raise Busy(
                    "{most} uploads are running already. Send this chunk again in a moment; what "
                    "came before is kept.",
                    most=settings.MAX_UPLOADS,
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
            f"The server has only {readable_size(free)} of free space left and takes no recordings "
            f"below {readable_size(settings.MIN_FREE_BYTES)}. What came before is kept."
        )


def refuse_large_recording(settings: Settings, size: int) -> None:
    if size > settings.MAX_UPLOAD_BYTES:
        raise TooLarge(
            "A recording may have at most {size}; this one has more.",
            size=readable_size(settings.MAX_UPLOAD_BYTES),
        )
