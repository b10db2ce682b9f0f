"""Read the sound of a journal while it is written."""

from __future__ import annotations

import logging
import queue
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reflector.errors import InvalidInput
from reflector.live.journal import Journal
from reflector.media.frames import Damage, read_frames
from reflector.media.probe import open_growing
from reflector.media.track import SAMPLE_RATE

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
BLOCK = SAMPLE_RATE // 5
# The rest waits on the disk
WAITING_BLOCKS = 60 * 5
# Without anything new for so long, the thread ends; the next piece starts another
IDLE_SECONDS = 120.0
LEVEL_SECONDS = 0.1
LEVEL = int(LEVEL_SECONDS * SAMPLE_RATE)
# So many times the energy of the other track: 6 dB
CLEARLY = 4.0


class Track(StrEnum):
    """What a recorder of two tracks has in its channels, from left to right."""

    MICROPHONE = "microphone"
    SHARED = "shared"


TRACKS = tuple(Track)


class JournalSound:
    """Decode the segments of `journal` on a thread, one after the other, as they grow.

    The first `skip` seconds are left out. It ends with the recording, if nothing comes for a while,
    or when `stop` is set.
    """

    def __init__(self, journal: Journal, skip: float, stop: threading.Event) -> None:
        self._journal, self._stop = journal, stop
        self._skip = int(skip * SAMPLE_RATE)
        self._is_idle = False
        # Of each track: its energy in each LEVEL_SECONDS of the recording
        self._levels = [array("f") for _ in TRACKS]
        self._unmeasured = np.zeros((0, len(TRACKS)), np.int16)
        self._blocks: queue.Queue[NDArray[np.int16] | None] = queue.Queue(WAITING_BLOCKS)
        self._thread = threading.Thread(target=self._run, name="live-sound", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> NDArray[np.int16] | None:
        """Return at least so many seconds of int16[n], mono, 16 kHz; None after the end.

        Returns less, and maybe nothing, if no more has come for as long.
        """
        blocks: list[NDArray[np.int16]] = []
        wanted = int(seconds * SAMPLE_RATE)
        deadline = time.monotonic() + 2 * seconds
        while True:
            try:
                left = max(0.0, deadline - time.monotonic())
                block = self._blocks.get(timeout=left) if wanted > 0 else self._blocks.get_nowait()
            except queue.Empty:
                break
            if block is None:
                self._blocks.put(None)  # for the next call
                if not blocks:
                    return None
                break
            blocks.append(block)
            wanted -= len(block)
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)

    def _run(self) -> None:
        try:
            for block in self._all_blocks():
                if not self._put(block):
                    return
        except Exception:
            log.exception("the sound of %s cannot be read for its live text", self._journal.folder)
        finally:
            self._put(None)

    def _put(self, block: NDArray[np.int16] | None) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._blocks.put(block, timeout=LOOK_SECONDS)
                return True
        with suppress(queue.Full):
            self._blocks.put_nowait(None)
        return False

    def _all_blocks(self) -> Iterator[NDArray[np.int16]]:
        """Yield the sound in blocks of a fifth of a second, without what is to be skipped."""
        kept: list[NDArray[np.int16]] = []
        count = 0
        for samples in self._samples():
            skipped = min(self._skip, len(samples))
            self._skip -= skipped
            kept.append(samples[skipped:])
            count += len(samples) - skipped
            if count >= BLOCK:
                yield np.concatenate(kept)
                kept, count = [], 0
        if count:
            yield np.concatenate(kept)

    def _samples(self) -> Iterator[NDArray[np.int16]]:
        done: set[Path] = set()
        idle_since = time.monotonic()
        while not self._stop.is_set():
            new = [path for path in self._journal.segments() if path not in done]
            for path in new[:1]:
                done.add(path)
                with suppress(InvalidInput, FileNotFoundError):  # no sound at all
                    yield from self._of(path)
                idle_since = time.monotonic()
                if self._is_idle:
                    return
            if not new:
                if self._is_over or time.monotonic() - idle_since > IDLE_SECONDS:
                    return
                self._stop.wait(LOOK_SECONDS)

    @property
    def _is_over(self) -> bool:
        return self._journal.is_stopped or not self._journal.folder.exists()

    def track_of(self, start: float, end: float) -> Track | None:
        """Return which track is heard from second `start` to `end`; None if that is not clear."""
        first, last = int(start / LEVEL_SECONDS), int(end / LEVEL_SECONDS) + 1
        energies = [sum(levels[first:last]) for levels in self._levels]
        loud = max(energies)
        if not loud or loud < CLEARLY * min(energies):
            return None
        return TRACKS[energies.index(loud)]

    def _note_levels(self, channels: NDArray[np.int16] | None, count: int) -> None:
        """Keep the energy of each track in `channels`: int16[n, 2]; nothing for `count` samples."""
        if channels is None:
            channels = np.zeros((count, len(TRACKS)), np.int16)
        self._unmeasured = np.concatenate([self._unmeasured, channels])
        whole = len(self._unmeasured) // LEVEL
        pieces = self._unmeasured[: whole * LEVEL].reshape(whole, LEVEL, len(TRACKS))
        for number, levels in enumerate(self._levels):
            levels.extend((pieces[:, :, number].astype(np.float32) ** 2).mean(axis=1).tolist())
        self._unmeasured = self._unmeasured[whole * LEVEL :]

    def _of(self, path: Path) -> Iterator[NDArray[np.int16]]:
        def has_ended() -> bool:
            segments = self._journal.segments()
            return self._is_over or bool(segments and segments[-1] != path)

        has_tracks = self._journal.has_tracks(path)
        resampler = av.AudioResampler("s16", "stereo" if has_tracks else "mono", SAMPLE_RATE)
        growing = _GrowingFile(path, has_ended, self._stop)
        try:
            with open_growing(growing) as (container, stream):
                for _, frame in read_frames(container, [stream], Damage()):
                    frame.pts = None
                    for part in resampler.resample(frame):
                        samples = part.to_ndarray()[0]
                        if not has_tracks:
                            self._note_levels(None, len(samples))
                            yield samples
                            continue
                        channels = samples.reshape(-1, len(TRACKS))
                        self._note_levels(channels, len(channels))
                        yield (channels.sum(axis=1, dtype=np.int32) // 2).astype(np.int16)
        finally:
            self._is_idle = growing.is_idle
            growing.close()


class _GrowingFile:
    """A file that is still written: `read` waits for more until `has_ended`.

    `is_idle` says that nothing came for a long time instead.
    """

    def __init__(self, path: Path, has_ended: Callable[[], bool], stop: threading.Event) -> None:
        self._file = path.open("rb", buffering=0)
        self._has_ended, self._stop = has_ended, stop
        self.is_idle = False

    def read(self, size: int = -1) -> bytes:
        idle_since = time.monotonic()
        while True:
            was_over = self._has_ended()
            data: Any = self._file.read(size)
            if data or was_over or self._stop.is_set():
                return bytes(data or b"")
            if time.monotonic() - idle_since > IDLE_SECONDS:
                self.is_idle = True
                return b""
            self._stop.wait(LOOK_SECONDS)

    def close(self) -> None:
        self._file.close()
