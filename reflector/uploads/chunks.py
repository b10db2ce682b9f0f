"""Store the chunks of a recording: in any order, even repeated, kept across a restart.

The next chunk in order is appended to one file, so that nothing has to be copied at the end. An
early chunk waits in a file of its own. The state is saved after the appended data is on the disk,
and a longer file is truncated to it: a chunk is stored completely or not at all.

Several processes may take chunks of one upload at once; file locks keep them apart.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from reflector.errors import InvalidInput
from reflector.services import Services
from reflector.storage.durable import write_text

COPY_BYTES = 1 << 20


@dataclass
class _State:
    total: int
    next: int = 0
    size: int = 0


@dataclass
class Receiving:
    """A chunk that is being received and written to `out`.

    `out` is the end of the recording if `path` is None. As a context manager, this leaves nothing
    of a chunk that was not accepted.
    """

    incoming: Incoming
    number: int
    total: int
    out: BinaryIO
    path: Path | None
    start: int = 0

    def received(self) -> int:
        """Return the bytes of this chunk received so far."""
        return self.out.tell() - self.start

    def sync(self) -> None:
        self.out.flush()
        os.fsync(self.out.fileno())

    def __enter__(self) -> Receiving:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # `sync` has already reported a full disk
            self.out.close()
        if self.path is None:
            self.incoming.appending.release()
        else:
            self.path.unlink(missing_ok=True)


class Incoming:
    """The chunks of one transcript's recording.

    Hold `lock` to read and change its state, and `appending` to write to the recording's end. The
    lock files stay when the folder is removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "recording"
        self._state_file = folder / "state.json"
        self._locks = folder.parent.parent / "locks"
        self.lock = FileLock(self._locks / f"{folder.name}.state", thread_local=False)
        self.appending = FileLock(self._locks / f"{folder.name}.append", thread_local=False)

    def receive(self, number: int, total: int) -> Receiving:
        """Return where to write chunk `number` while it is received.

        That is the end of the recording if it is the next chunk and nobody else is writing there.
        What an interrupted chunk leaves there is truncated before the next one is written. Raises
        InvalidInput if `total` is not that of the upload.
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.lock:
            state = self._checked_state(total)
            if number == state.next and self._try_appending():
                if not self.file.exists():
                    self._save(state)  # the saved state belongs to a file that is gone
                self.file.touch()
                out = self.file.open("r+b")
                out.truncate(state.size)
                out.seek(state.size)
                return Receiving(self, number, total, out, None, state.size)
        path = self.folder / f"incoming.{os.urandom(8).hex()}"
        return Receiving(self, number, total, path.open("wb"), path)

    def _try_appending(self) -> bool:
        if self.appending.is_locked:
            return False
        try:
            self.appending.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def _checked_state(self, total: int) -> _State:
        state = self._load() or _State(total)
        if total != state.total:
            raise InvalidInput(
                f"This upload has {state.total} chunks, not {total}. The chunks received are kept."
            )
        return state

    def accept(self, chunk: Receiving) -> bool:
        """Keep the complete chunk. Return True if it was the last one missing. Hold `lock`.

        Raises InvalidInput if the total number of chunks differs; earlier chunks are kept.
        """
        state = self._checked_state(chunk.total)
        chunk.sync()
        if chunk.path is None:
            state.next, state.size = chunk.number + 1, chunk.out.tell()
        elif chunk.number >= state.next:
            chunk.path.replace(self._waiting(chunk.number))
        self._save(state)
        # Do not append while another request is writing to the recording's end
        own = chunk.path is None
        if own or self._try_appending():
            try:
                while (waiting := self._waiting(state.next)).exists():
                    self._append(state, waiting)
            finally:
                if not own:
                    self.appending.release()
        return state.next == state.total

    def missing(self, total: int) -> list[int]:
        state = self._load() or _State(total)
        return [n for n in range(state.next, total) if not self._waiting(n).exists()]

    def stored_bytes(self) -> int:
        """Return the bytes stored already, appended or waiting."""
        state = self._load()
        size = state.size if state else 0
        for path in self.folder.glob("chunk.*"):
            with suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def _waiting(self, number: int) -> Path:
        return self.folder / f"chunk.{number}"

    def _append(self, state: _State, part: Path) -> None:
        size = part.stat().st_size
        self.file.touch()
        with self.file.open("r+b") as out, part.open("rb") as source:
            out.truncate(state.size)
            out.seek(state.size)
            shutil.copyfileobj(source, out, COPY_BYTES)
            out.flush()
            os.fsync(out.fileno())
        state.next, state.size = state.next + 1, state.size + size
        self._save(state)
        part.unlink(missing_ok=True)

    def _load(self) -> _State | None:
        try:
            state = _State(**json.loads(self._state_file.read_text()))
        except FileNotFoundError:
            return None
        # If the server stopped between adopting the finished file and saving that, nothing was
        # acknowledged: the client is told what to send again
        return state if state.next == 0 or self.file.exists() else None

    def _save(self, state: _State) -> None:
        write_text(self._state_file, json.dumps(asdict(state)))

    def complete(self) -> None:
        """Check the finished file. Raises InvalidInput if it is no recording, and removes it."""
        from reflector.media.probe import probe  # imports FFmpeg, so only when a recording arrives

        state = self._load()
        assert state is not None
        with self.file.open("r+b") as file:
            file.truncate(state.size)
        try:
            with self.file.open("rb") as file:
                probe(file)
        except InvalidInput:
            self.discard()
            raise

    def discard(self) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)


def incoming_of(services: Services, transcript_id: str) -> Incoming:
    return Incoming(services.settings.uploads_dir / transcript_id)
