"""Read the sound of a journal while it is written."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reflector.errors import InvalidInput
from reflector.live.journal import Journal
from reflector.live.tracks import TRACKS, TrackLevels
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


class JournalSound:
    """Decode the segments of `journal` on a thread, one after the other, as they grow.

    The first `skip` seconds are left out. It ends with the recording, if nothing comes for a while,
    or when `stop` is set. `levels` has what of it is heard in which track.
    """

    def __init__(self, journal: Journal, skip: float, stop: threading.Event) -> None:
        self._journal, self._stop = journal, stop
        self._skip = int(skip * SAMPLE_RATE)
        self._is_idle = False
        self.levels = TrackLevels()
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
                        channels = np.zeros((len(samples), len(TRACKS)), np.int16)
                        if has_tracks:
                            channels = samples.reshape(-1, len(TRACKS))
                            samples = (channels.sum(axis=1, dtype=np.int32) // 2).astype(np.int16)
                        self.levels.add(channels)
                        yield samples
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
