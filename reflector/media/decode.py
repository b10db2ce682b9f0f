"""One pass over a recording: 16 kHz mono samples to a file, peaks for the waveform.

Memory does not grow with the length of the recording. Samples are kept as 16-bit integers, as
faster-whisper's own decoder makes them, so that the engines hear what they would hear from the
file itself; `PcmAudio` hands them out as float32.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError
from numpy.typing import NDArray

from reflector.errors import InvalidInput
from reflector.media.probe import NO_AUDIO, UNREADABLE, open_media
from reflector.media.waveform import Waveform

SAMPLE_RATE = 16_000
JOIN_SAMPLES = SAMPLE_RATE * 10
REPORT_SAMPLES = SAMPLE_RATE * 30
# A recording damaged in places is worth transcribing; one that is mostly damage is not.
MAX_BAD_PACKETS = 1000

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Decoded:
    """`duration` in seconds; `waveform` as in the API; `bad_packets` that could not be decoded."""

    duration: float
    waveform: list[float]
    bad_packets: int


class PcmAudio:
    """Decoded audio on disk: int16, mono, 16 kHz, read in pieces."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = path.stat().st_size // 2

    @property
    def duration(self) -> float:
        return self.samples / SAMPLE_RATE

    def read(self, start: int, end: int) -> NDArray[np.float32]:
        """Samples `[start, end)` as float32[n] in [-1, 1)."""
        start, end = max(0, start), min(end, self.samples)
        raw = np.fromfile(self.path, np.int16, count=max(0, end - start), offset=2 * start)
        return raw.astype(np.float32) / 32768.0


def decode(source: BinaryIO, target: Path, progress: Progress | None = None) -> Decoded:
    """Write the first audio stream of `source` to `target`; `progress` gets seconds done.

    The file appears under its name only when it is complete. InvalidInput where nothing can be
    decoded.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    waveform, written, reported = Waveform(SAMPLE_RATE), 0, 0
    bad_packets = [0]
    try:
        with part.open("wb", buffering=1 << 20) as out:
            for samples in _joined(_samples(source, bad_packets)):
                out.write(samples.tobytes())
                waveform.add(samples)
                written += len(samples)
                if progress and written - reported >= REPORT_SAMPLES:
                    reported = written
                    progress(written / SAMPLE_RATE)
        if not written:
            raise InvalidInput(NO_AUDIO)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return Decoded(written / SAMPLE_RATE, waveform.peaks(), bad_packets[0])


def _joined(pieces: Iterator[NDArray[np.int16]]) -> Iterator[NDArray[np.int16]]:
    """Pieces of some seconds instead of a codec's frames of some milliseconds: what is done for
    each piece then costs nothing to speak of."""
    waiting: list[NDArray[np.int16]] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= JOIN_SAMPLES:
            yield np.concatenate(waiting)
            waiting, length = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _samples(source: BinaryIO, bad_packets: list[int]) -> Iterator[NDArray[np.int16]]:
    with open_media(source) as (container, stream):
        stream.thread_type = "AUTO"
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in _frames(container, stream, bad_packets):
            # A changed clock must not make the resampler insert or drop sound
            frame.pts = None
            for resampled in resampler.resample(frame):
                yield resampled.to_ndarray()[0]
        for resampled in resampler.resample(None):
            yield resampled.to_ndarray()[0]


def _frames(container: Any, stream: Any, bad_packets: list[int]) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except InvalidDataError:
            return  # the container is cut short: what came before is kept
        except FFmpegError as error:
            raise InvalidInput(UNREADABLE) from error
        try:
            yield from packet.decode()
        except InvalidDataError:
            bad_packets[0] += 1
            if bad_packets[0] > MAX_BAD_PACKETS:
                raise InvalidInput(UNREADABLE) from None
