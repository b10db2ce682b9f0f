"""Write the journal of a live recording: audio reaches the disk before anything else happens.

A recording is a folder of segments. A segment over WebRTC is one connection: after a broken
connection, the client continues the same recording with a new one. It is Ogg/Opus, so all but the
end of an interrupted segment can be read. A segment of a browser's recorder is its bytes as they
are (`live/stream.py`).

Several processes may use one journal. The writer of a segment over WebRTC holds its lock, which ends
with the process. Files hold the other state: a newer segment replaces the older one, `stopped` ends
them all, `handed-over` tells how much has become a transcript already.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from av import AudioFrame
from filelock import FileLock, Timeout

from reflector.errors import InvalidInput, Unavailable
from reflector.live import DISCARDED, LOCKS, SET_ASIDE
from reflector.live.join import is_readable, join
from reflector.live.opus import OpusFile
from reflector.live.stream import FORMATS
from reflector.storage.durable import sync, write_text

# How long a piece may wait for a server that joins what came before
LOCK_SECONDS = 3.0
# A browser begins one for each crash, not hundreds
MOST_SEGMENTS = 500
# A recorder that was stopped at once leaves a header without sound
HEADER_BYTES = 4096
OGG = ".ogg"
STREAMS = {f".{name}" for name in FORMATS}


class Journal:
    """The segments of one recording in `folder`, whose name is the transcript's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stopped = folder / "stopped"
        self._handed_over = folder / "handed-over"
        self._joined_tracks = folder / "joined-in-tracks"
        locks = folder.parent / LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(locks / folder.name, thread_local=False)
        self._ended = locks / f"{folder.name}.ended"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Raises Unavailable if another process needs it for longer."""
        try:
            with self.lock.acquire(timeout=LOCK_SECONDS):
                yield
        except Timeout as error:
            raise Unavailable("The recording is being processed. Try again in a moment.") from error

    def begin_segment(self) -> Segment:
        """Start the next segment and return it; it supersedes one that is still being written."""
        with self.lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            segment = Segment(self, self.newest() + 1)
            sync(self.folder)
            sync(self.folder.parent)
            return segment

    def stream_file(self, key: str, container: str) -> Path:
        """Return the file of the recorder `key`, new if need be. Hold the lock for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(f"*.{key}.{container}"):
            return path
        if len(self.segments()) >= MOST_SEGMENTS:
            raise InvalidInput("This recording has too many parts: create another one.")
        path = self.folder / f"{self.newest() + 1:04}.{key}.{container}"
        path.touch()
        sync(self.folder)
        sync(self.folder.parent)
        return path

    def mark_tracks(self, key: str) -> None:
        """Note that the channels of the recorder `key` are two tracks. Hold the lock for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._tracks(key).touch()

    def has_tracks(self, segment: Path) -> bool:
        """Return whether the left channel is a microphone, and the right one what was shared."""
        return self._tracks(_key(segment)).exists()

    def _tracks(self, key: str) -> Path:
        return self.folder / f"{key}.tracks"

    def segments(self) -> list[Path]:
        kinds = {OGG, *STREAMS}
        found = [path for path in self.folder.glob("*.*") if path.suffix in kinds]
        return sorted(found, key=_number)

    def newest(self) -> int:
        """Return the number of the last segment, -1 if there is none."""
        return max((_number(path) for path in self.segments()), default=-1)

    def stop(self) -> None:
        """Mark the recording as stopped, so that no process writes to it any more."""
        with suppress(FileNotFoundError):  # the transcript was destroyed meanwhile
            sizes = {_key(path): path.stat().st_size for path in self.segments()}
            self._stopped.touch()
            write_text(self._ended, json.dumps(sizes))

    @property
    def was_stopped(self) -> bool:
        """Whether the recording was stopped, also after its journal is gone."""
        return self.is_stopped or self._ended.exists()

    def forget_stop(self) -> None:
        """Let the recording begin anew: nothing was heard in it."""
        self._ended.unlink(missing_ok=True)

    def kept_of(self, key: str) -> int:
        """Return how many bytes of the recorder `key` a recording has that was stopped."""
        try:
            return int(json.loads(self._ended.read_text()).get(key, 0))
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def is_stopped(self) -> bool:
        return self._stopped.exists()

    @property
    def has_streams(self) -> bool:
        return any(path.suffix in STREAMS for path in self.segments())

    def is_being_written(self) -> bool:
        """Return whether a connection over WebRTC writes; a stream only shows by its times."""
        own = [path for path in self.segments() if path.suffix == OGG]
        return any(_is_held(path.with_suffix(".lock")) for path in own)

    def idle_seconds(self) -> float:
        """Return the seconds since the last write; very many if the folder is empty or gone."""
        times = [path.stat().st_mtime for path in self.segments()]
        return time.time() - max(times, default=0.0)

    def size(self) -> int:
        """Return the bytes of all segments."""
        return sum(path.stat().st_size for path in self.segments())

    @property
    def handed_over(self) -> int | None:
        """The size that became a transcript already, None if nothing did."""
        try:
            return int(self._handed_over.read_text())
        except FileNotFoundError:
            return None

    def mark_handed_over(self, size: int) -> None:
        write_text(self._handed_over, str(size))

    def joined(self) -> Path | None:
        """Return a file with all the audio; None if there is none.

        It is a segment itself if nothing has to be joined and nothing more can come. The caller may
        move it away. It has two tracks if all its parts have.
        """
        heard = [path for path in self.segments() if is_readable(path)]
        if not heard:
            return None
        has_tracks = all(self.has_tracks(path) for path in heard)
        if has_tracks:
            self._joined_tracks.touch()
            sync(self.folder)
        else:
            self._joined_tracks.unlink(missing_ok=True)
        may_move = self.is_stopped or not self.has_streams
        if len(heard) == 1 and may_move and self.handed_over is None:
            return heard[0]
        target = self.folder / "joined"
        try:
            if len(heard) == 1:
                shutil.copyfile(heard[0], target)
                sync(target)
            else:
                join(heard, target, has_tracks)
        except BaseException:
            target.unlink(missing_ok=True)  # a full disk needs its room
            raise
        return target

    @property
    def is_joined_in_tracks(self) -> bool:
        """Whether the file of `joined` has two tracks; known as long as the journal is there."""
        return self._joined_tracks.exists()

    def unreadable(self) -> list[Path]:
        """Return what a browser has sent without any sound that can be heard."""
        return [
            path
            for path in self.segments()
            if path.suffix in STREAMS
            and path.stat().st_size > HEADER_BYTES
            and not is_readable(path)
        ]

    def discard(self) -> None:
        """Remove the journal, at once for everybody who looks: half a journal is another one."""
        trash = self.folder.parent / DISCARDED
        trash.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            self.folder.rename(trash / f"{self.folder.name}.{time.time_ns()}")
        for left in trash.glob(f"{self.folder.name}.*"):
            shutil.rmtree(left, ignore_errors=True)

    def set_aside(self) -> Path:
        """Move the journal away without losing it. Return its new folder."""
        aside = self.folder.parent / SET_ASIDE / f"{self.folder.name}.{time.time_ns()}"
        aside.parent.mkdir(exist_ok=True)
        return self.folder.rename(aside)


class Segment:
    """The audio of one connection. `write` takes frames of any format; `sync` flushes to disk."""

    def __init__(self, journal: Journal, number: int) -> None:
        self._journal, self._number = journal, number
        path = journal.folder / f"{number:04}{OGG}"
        self._lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        self._lock.acquire(timeout=0)
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._out = OpusFile(self._file)

    @property
    def is_superseded(self) -> bool:
        """Whether another connection took over, or the recording was ended elsewhere."""
        journal = self._journal
        return journal.newest() != self._number or journal.is_stopped

    def write(self, frame: AudioFrame) -> None:
        """Add audio; `frame.pts` counts samples at its own rate.

        Raises OSError if the disk is full.
        """
        self._out.write(frame)

    @property
    def seconds(self) -> float:
        return self._out.seconds

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Finish the segment and release its lock. Raises OSError if its end cannot be written."""
        try:
            self._out.finish()
            self.sync()
        finally:
            self._file.close()
            self._lock.release()


def _key(path: Path) -> str:
    """Return the client's name for the recorder of a stream; `ogg` for other segments."""
    return path.name.split(".")[1]


def _number(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
