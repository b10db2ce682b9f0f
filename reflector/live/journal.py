"""Write the journal of a live recording: audio reaches the disk before anything else happens.

A recording is a folder of segments, one for each connection: after a broken connection, the client
continues the same recording with a new one. A segment is Ogg/Opus with pages of a fifth of a
second, so all but the end of an interrupted segment can be read.

Several processes may use one journal. The writer of a segment holds its lock, which ends with the
process. Files hold the other state: a newer segment replaces the older one, `stopped` ends them
all.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
from av import AudioFrame
from filelock import FileLock, Timeout

from reflector.errors import InvalidInput
from reflector.live import LOCKS, SET_ASIDE
from reflector.media.probe import open_media
from reflector.storage.durable import sync

RATE = 48_000
BIT_RATE = 64_000  # Opus: transparent for mono speech
OGG = {"page_duration": "200000", "flush_packets": "1"}  # microseconds
# Lost packets become silence, so that times stay correct; a longer gap is a pause
LONGEST_GAP = 60 * RATE


class Journal:
    """The segments of one recording in `folder`, whose name is the transcript's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stopped = folder / "stopped"
        locks = folder.parent / LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(locks / folder.name, thread_local=False)

    def begin_segment(self) -> Segment:
        """Start the next segment and return it; it supersedes one that is still being written."""
        with self.lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            segment = Segment(self, self.newest() + 1)
            sync(self.folder)
            sync(self.folder.parent)
            return segment

    def segments(self) -> list[Path]:
        return sorted(self.folder.glob("*.ogg"))

    def newest(self) -> int:
        """Return the number of the last segment, -1 if there is none."""
        return max((int(path.stem) for path in self.segments()), default=-1)

    def stop(self) -> None:
        """Mark the recording as stopped, so that no process writes to it any more."""
        with suppress(FileNotFoundError):  # the transcript was destroyed meanwhile
            self._stopped.touch()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.exists()

    def is_being_written(self) -> bool:
        return any(_is_held(path.with_suffix(".lock")) for path in self.segments())

    def idle_seconds(self) -> float:
        """Return the seconds since the last write; very many if the folder is empty or gone."""
        times = [path.stat().st_mtime for path in self.segments()]
        return time.time() - max(times, default=0.0)

    def join(self) -> Path | None:
        """Return a file with all the audio; None if there is none."""
        heard = [path for path in self.segments() if _is_readable(path)]
        if len(heard) < 2:
            return heard[0] if heard else None
        target = self.folder / "joined"
        with av.open(str(target), "w", format="ogg") as out:
            copy: Any = None
            end = 0
            for path in heard:
                copy, end = _copy(path, out, copy, end)
        sync(target)
        return target

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def set_aside(self) -> Path:
        """Move the journal away without losing it. Return its new folder."""
        aside = self.folder.parent / SET_ASIDE / f"{self.folder.name}.{time.time_ns()}"
        aside.parent.mkdir(exist_ok=True)
        return self.folder.rename(aside)


class Segment:
    """The audio of one connection. `write` takes frames of any format; `sync` flushes to disk."""

    def __init__(self, journal: Journal, number: int) -> None:
        self._journal, self._number = journal, number
        path = journal.folder / f"{number:04}.ogg"
        self._lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        self._lock.acquire(timeout=0)
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._out = av.open(self._file, "w", format="ogg", options=OGG)
        self._stream: Any = self._out.add_stream("libopus", rate=RATE)
        self._stream.layout = "mono"
        self._stream.bit_rate = BIT_RATE
        self._resampler = av.AudioResampler("s16", "mono", RATE)
        self._origin: int | None = None
        self._written = 0  # samples

    @property
    def is_superseded(self) -> bool:
        """Whether another connection took over, or the recording was ended elsewhere."""
        journal = self._journal
        return journal.newest() != self._number or journal.is_stopped

    def write(self, frame: AudioFrame) -> None:
        """Add audio; `frame.pts` counts samples at its own rate.

        Raises OSError if the disk is full.
        """
        for mono in self._resampler.resample(frame):
            position = int((mono.pts or 0) * (mono.time_base or Fraction(1, RATE)) * RATE)
            if self._origin is None:
                self._origin = position - self._written
            missing = position - self._origin - self._written
            if missing > mono.samples:  # less than a packet is drift of the sender's clock
                if missing <= LONGEST_GAP:
                    self._encode_silence(missing)
                else:
                    self._origin += missing
            self._encode(mono)

    def _encode_silence(self, samples: int) -> None:
        """Encode silence in pieces of a second: a minute at once would take 6 MB and much time."""
        while samples > 0:
            piece = min(samples, RATE)
            self._encode(_silence(piece))
            samples -= piece

    def _encode(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = self._written, Fraction(1, RATE)
        self._written += frame.samples
        self._out.mux(self._stream.encode(frame))

    @property
    def seconds(self) -> float:
        return self._written / RATE

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Finish the segment and release its lock. Raises OSError if its end cannot be written."""
        try:
            if self._written:
                self._out.mux(self._stream.encode(None))
                self._out.close()
                self.sync()
        finally:
            self._file.close()
            self._lock.release()


def _silence(samples: int) -> AudioFrame:
    frame = AudioFrame("s16", "mono", samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb") as file, open_media(file) as (container, streams):
            return any(packet.size for packet in container.demux(streams[0]))
    except InvalidInput:
        return False


def _copy(path: Path, out: Any, copy: Any, start: int) -> tuple[Any, int]:
    """Append the segment `path`. Return the output stream and the sample where it now ends."""
    end = start
    for packet in _packets(path):
        if copy is None:
            copy = out.add_stream_from_template(packet.stream)
        scale = packet.time_base * RATE
        position = start + int((packet.pts or 0) * scale)
        end = position + int((packet.duration or 0) * scale)
        packet.pts = packet.dts = position
        packet.time_base = Fraction(1, RATE)
        packet.stream = copy
        out.mux(packet)
    return copy, end


def _packets(path: Path) -> Iterator[Any]:
    with path.open("rb") as file, open_media(file) as (container, streams):
        for packet in container.demux(streams[0]):
            if packet.dts is not None and packet.size:
                yield packet
