"""Encode and write the audio of one connection on a thread.

A slow encoder or disk delays only this thread. Audio waits in memory meanwhile, WAITING_SECONDS at
most. Beyond that it is lost and becomes silence.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from av import AudioFrame
from prometheus_client import Counter

from reflector.live.journal import Segment

log = logging.getLogger(__name__)

SYNC_SECONDS = 1.0
WAITING_SECONDS = 60.0
FRAME_SECONDS = 0.02  # of Opus over RTP

lost_seconds = Counter("live_lost_seconds", "Sound of live recordings that could not be kept")


class SegmentWriter:
    """Write frames to a segment on a thread; `put` is called on an event loop and never waits.

    `on_end` is called once, on the thread, when the segment has ended: it was closed, another
    connection took over, or the disk failed.
    """

    def __init__(self, segment: Segment, on_end: Callable[[], None]) -> None:
        self._segment, self._on_end = segment, on_end
        self._waiting: queue.Queue[AudioFrame] = queue.Queue(int(WAITING_SECONDS / FRAME_SECONDS))
        self._closing = threading.Event()
        self._ended = False
        self._lost = 0.0
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> float:
        """Seconds of audio that were dropped."""
        return self._lost

    def put(self, frame: AudioFrame) -> None:
        """Queue `frame` for writing; drop and count it if too many are waiting."""
        if self._ended:
            return
        try:
            self._waiting.put_nowait(frame)
        except queue.Full:
            seconds = frame.samples / (frame.sample_rate or 48_000)
            if not self._lost:
                log.error("a recording is written more slowly than it comes: sound is being lost")
            self._lost += seconds
            lost_seconds.inc(seconds)

    def close(self) -> None:
        """Write all waiting frames to the disk, then return."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._write_all()
        except OSError as error:
            log.error("a recording could not be written: %s; what came before is kept", error)
        except Exception:
            log.exception("a recording could not be written; what came before is kept")
        finally:
            self._ended = True
            _complete(self._segment)
            if self._lost:
                log.error("%.1f s of a recording were lost: the disk is too slow", self._lost)
            self._on_end()

    def _write_all(self) -> None:
        synced = time.monotonic()
        while True:
            try:
                self._segment.write(self._waiting.get(timeout=SYNC_SECONDS / 4))
            except queue.Empty:
                if self._closing.is_set():
                    return
            if time.monotonic() - synced >= SYNC_SECONDS:
                self._segment.sync()
                if self._segment.is_superseded:
                    return
                synced = time.monotonic()


def _complete(segment: Segment) -> None:
    try:
        segment.close()
    except OSError as error:
        log.error("the end of a recording could not be written: %s", error)
