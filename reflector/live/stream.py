"""Keep the bytes that a browser records, as they come: one file for each of its recorders.

The client numbers its pieces by their offset. A piece that comes again is skipped, so it may repeat
whatever was not acknowledged, over any number of connections.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reflector.errors import N_, Conflict, InvalidInput, NotFound
from reflector.storage.durable import sync

if TYPE_CHECKING:
    from reflector.live.journal import Journal

FORMATS = ("webm", "mp4")
KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
ENDED = N_("This recording was stopped already.")


class Stream:
    """The file of one recorder in `journal`. `key` is the client's name for it.

    With two `tracks`, its left channel is a microphone, and the right one what was shared. Raises
    InvalidInput for a key, format or number of tracks that cannot be.
    """

    def __init__(self, journal: Journal, key: str, container: str, tracks: int = 1) -> None:
        if not KEY.fullmatch(key):
            raise InvalidInput("recording has to be 1 to 64 letters, digits, - or _.")
        if container not in FORMATS:
            raise InvalidInput(f"format has to be {' or '.join(FORMATS)}.")
        if tracks not in {1, 2}:
            raise InvalidInput("tracks has to be 1 or 2.")
        self._journal, self._key, self._container = journal, key, container
        self._tracks = tracks
        self._path: Path | None = None

    def open(self, may_begin: bool = True) -> int:
        """Return how many bytes are kept already.

        Raises Conflict if the recording was stopped, and if there is none although it must not
        `may_begin`.
        """
        with self._journal.held():
            is_there = self._journal.folder.exists()
            if self._journal.was_stopped or not (is_there or may_begin):
                raise Conflict(ENDED)
            if self._tracks == 2:  # before there is a file that somebody could read
                self._journal.mark_tracks(self._key)
            self._path = self._journal.stream_file(self._key, self._container)
            return self._path.stat().st_size

    def append(self, offset: int, data: bytes, admit: Callable[[int], None]) -> int:
        """Keep `data`, which begins at byte `offset`. Return how many bytes are safe on the disk.

        Nothing is kept if that is less than `offset`: the client continues from there. `admit` gets
        the size that the recording would have, and may raise. Raises Conflict if the recording was
        stopped, NotFound if it is gone, and OSError if the disk is full.
        """
        assert self._path is not None
        with self._journal.held():
            if self._journal.is_stopped:
                raise Conflict(ENDED)
            try:
                size = self._path.stat().st_size
            except FileNotFoundError as error:
                raise NotFound("This recording is not there any more.") from error
            new = data[size - offset :] if 0 <= offset <= size else b""
            if not new:
                return size
            admit(self._journal.size() + len(new))
            _append(self._path, size, new)
            return size + len(new)

    def stop(self) -> None:
        """End the recording: what is kept becomes a transcript."""
        with self._journal.held():
            self._journal.stop()
            if self._journal.folder.exists():
                sync(self._journal.folder)

    def keep_alive(self) -> None:
        """Note that the client is there, although it sends nothing: it has paused."""
        assert self._path is not None
        with suppress(FileNotFoundError):
            os.utime(self._path)

    @property
    def kept(self) -> int:
        """Bytes of this recorder that a recording has which was stopped."""
        return self._journal.kept_of(self._key)


def _append(path: Path, size: int, data: bytes) -> None:
    """Add `data` durably, or not at all."""
    with path.open("r+b", buffering=0) as file:
        try:
            file.seek(size)
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
