"""Encode a microphone or a file to WebM/Opus, in a file on this machine, as it is spoken."""

from __future__ import annotations

import os
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from reflector.errors import InvalidInput

RATE = 48_000
# Enough for speech, and for a line of 64 kbit/s
BIT_RATE = 48_000
# Sound is readable by others at once, and not when a cluster of five seconds is full
LIVE = {"cluster_time_limit": "500", "flush_packets": "1", "live": "1"}
SYSTEMS = ("pulse", "alsa")
UNSEEN_SECONDS = 0.02


class Spool:
    """The file that is recorded: one thread adds to it, another reads what is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._changed = threading.Condition()
        self._size = 0
        self.is_complete = False

    def write(self, data: bytes) -> int:
        self._file.write(data)
        with self._changed:
            self._size += len(data)
            self._changed.notify_all()
        return len(data)

    def complete(self) -> None:
        try:
            os.fsync(self._file.fileno())
            self._file.close()
        finally:
            with self._changed:
                self.is_complete = True
                self._changed.notify_all()

    def read(self, offset: int, most: int, seconds: float) -> bytes:
        """Return what is there from `offset` on; wait for it as long as `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._size > offset or self.is_complete, seconds)
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(most)

    def is_read(self, offset: int) -> bool:
        """Return whether nothing comes after `offset`."""
        with self._changed:
            return self.is_complete and offset >= self._size


def open_source(device: str | None, file: Path | None) -> Any:
    """Return the open microphone, the default one if `device` is None, or the file.

    Raises InvalidInput if it cannot be used.
    """
    if file is not None:
        try:
            return av.open(str(file))
        except (FFmpegError, OSError) as error:
            raise InvalidInput(f"{file} cannot be read as a recording: {error}") from error
    problems = []
    for system in SYSTEMS:
        try:
            return av.open(device or "default", format=system)
        except (FFmpegError, OSError, ValueError) as error:
            problems.append(f"{system}: {error}")
    raise InvalidInput(
        f"The microphone {device or 'default'} cannot be used ({'; '.join(problems)}).",
        "`arecord -L` and `pactl list sources short` name those of this machine: --device NAME.",
    )


def record(source: Any, spool: Spool, in_real_time: bool, stop: threading.Event) -> None:
    """Encode `source` into `spool` until its end, or until `stop` is set.

    A file is read at the pace at which it was spoken if `in_real_time`.
    """
    out = av.open(spool, "w", format="webm", options=LIVE)
    stream: Any = out.add_stream("libopus", rate=RATE)
    stream.layout = "mono"
    stream.bit_rate = BIT_RATE
    resampler = av.AudioResampler("s16", "mono", RATE, frame_size=RATE // 50)
    begun = time.monotonic()
    written = 0
    try:
        for frame in source.decode(source.streams.audio[0]):
            if stop.is_set():
                break
            for part in resampler.resample(frame):
                part.pts, part.time_base = written, Fraction(1, RATE)
                written += part.samples
                out.mux(stream.encode(part))
            ahead = written / RATE - (time.monotonic() - begun)
            if in_real_time and ahead > UNSEEN_SECONDS:
                stop.wait(ahead)
        out.mux(stream.encode(None))
    finally:
        try:
            out.close()
        finally:
            source.close()
            spool.complete()
