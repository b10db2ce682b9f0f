"""Convert one audio stream to mono PCM at 16 kHz, at the times of its container."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
BUFFER_BYTES = 1 << 20
# Smaller differences are rounding of timestamps and codec delay
MIN_GAP_SECONDS = 0.1
# A clock that goes back further was reset
MAX_OVERLAP_SECONDS = 1.0
# A timestamp that jumps further than this is damaged, unless the container's length confirms it
MAX_GAP_SECONDS = 3600.0
# A channel with an amplitude below 4/32768 is silent, except for dither
SILENT_PEAK = 4
# One of this many stereo frames is checked for channels that cancel each other out
LOOK_EVERY = 8
CANCELLED = 0.001
# Layouts that FFmpeg mixes correctly; the last two are those of files that name no layout
PLAIN = {"mono", "stereo", "1 channels", "2 channels"}
FULL_SCALE = {"s16": 32768.0, "s32": 2147483648.0}


@dataclass
class Part:
    """Mono int16 samples at 16 kHz in a file: those of a stream or of one channel.

    `peak` is the largest amplitude, of 32768.
    """

    path: Path
    file: IO[bytes]
    samples: int = 0
    peak: int = 0

    def write(self, at: int, samples: NDArray[np.int16]) -> int:
        """Write `samples` at position `at`; a gap before them becomes a hole. Return their end."""
        if not len(samples):
            return at
        peak = int(np.abs(samples.astype(np.int32)).max())
        if at != self.samples:
            self.file.seek(2 * at)
        if peak > 0:
            self.file.write(samples.tobytes())
        else:
            self.file.seek(2 * (at + len(samples)))  # silence takes no disk space
        self.peak = max(self.peak, peak)
        self.samples = at + len(samples)
        return self.samples

    def close(self) -> None:
        if self.file.closed:
            return
        try:
            self.file.truncate(2 * self.samples)
        finally:
            self.file.close()  # an open deleted file would keep a full disk full


@dataclass
class _Converter:
    """Resamplers for frames of one kind: one for each part that they are written to."""

    kind: tuple[str, str, int]
    is_mixed: bool
    """Whether FFmpeg mixes all channels to one part; otherwise each channel has a resampler."""
    parts: list[int]
    resamplers: list[Any]
    position: int
    """Of the next sample, in every part."""


@dataclass
class Track:
    """One stream of a recording, decoded into parts.

    `origin` is the container's time zero in seconds. `duration` is its length, if known.

    Mono and stereo become one part, mixed by FFmpeg. More channels become a part each, because
    FFmpeg drops some of them and knows no layout for most channel counts. `left_only` uses the left
    channel of stereo whose channels cancel each other out. With `apart`, stereo becomes two parts.
    """

    folder: Path
    name: str
    is_timed: bool
    origin: float
    duration: float | None
    left_only: bool = False
    apart: bool = False
    parts: dict[int, Part] = field(default_factory=dict)
    seconds: float = 0.0
    _shift: float = 0.0
    _converter: _Converter | None = None
    _looked_at: int = 0
    _energy_mixed: float = 0.0
    _energy_apart: float = 0.0

    def add(self, frame: Any) -> None:
        gap = self._gap(frame)
        if gap > 0:
            self.flush()
            self.seconds += gap
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._converter is None or self._converter.kind != kind:
            self.flush()
            self._converter = self._converter_for(frame, kind)
        seconds = frame.samples / frame.sample_rate
        self._convert(self._converter, frame)
        self.seconds += seconds

    def flush(self) -> None:
        """Write what the resamplers hold back, because the next sound starts at a new position."""
        if self._converter is not None:
            self._resample(self._converter, [None] * len(self._converter.resamplers))
            self._converter = None

    def close(self) -> None:
        try:
            self.flush()
        finally:
            with ExitStack() as closing:
                for part in self.parts.values():
                    closing.callback(part.close)

    @property
    def is_cancelled_out(self) -> bool:
        """Whether left and right are each other's negative, so that their mean is silence."""
        return self._energy_apart > 0 and self._energy_mixed < CANCELLED * self._energy_apart

    def _gap(self, frame: Any) -> float:
        """Return the seconds of silence before `frame`; 0 if its time is as expected or absurd."""
        if not self.is_timed or frame.pts is None or frame.time_base is None:
            return 0.0
        stamp = float(frame.pts * frame.time_base) - self.origin
        gap = stamp - self._shift - self.seconds
        limit = self.seconds + MAX_GAP_SECONDS if self.duration is None else self.duration + 60
        if gap < -MAX_OVERLAP_SECONDS or stamp - self._shift > limit:
            # The clock was reset: the sound continues, and times count from here
            self._shift = stamp - self.seconds
            return 0.0
        return gap if gap > MIN_GAP_SECONDS else 0.0

    def _converter_for(self, frame: Any, kind: tuple[str, str, int]) -> _Converter:
        channels = frame.layout.nb_channels
        is_mixed = frame.layout.name in PLAIN and not (self.left_only or self.apart)
        parts = [0] if is_mixed or self.left_only else list(range(channels))
        resamplers = [av.AudioResampler("s16", "mono", SAMPLE_RATE) for _ in parts]
        return _Converter(kind, is_mixed, parts, resamplers, round(self.seconds * SAMPLE_RATE))

    def _convert(self, converter: _Converter, frame: Any) -> None:
        # A reset clock must not make the resampler insert or drop sound
        frame.pts = None
        if converter.is_mixed:
            if frame.layout.nb_channels == 2:
                self._look(frame)
            self._resample(converter, [frame])
        else:
            rows = channels_of(frame)[: len(converter.parts)]
            self._resample(converter, [_mono_frame(row, frame.sample_rate) for row in rows])

    def _resample(self, converter: _Converter, frames: list[Any]) -> None:
        end = converter.position
        for number, resampler, frame in zip(
            converter.parts, converter.resamplers, frames, strict=True
        ):
            at = converter.position
            for piece in resampler.resample(frame):
                at = self._part(number).write(at, piece.to_ndarray()[0])
            end = max(end, at)
        converter.position = end

    def _part(self, number: int) -> Part:
        if number not in self.parts:
            path = self.folder / f"{self.name}.{number}"
            self.parts[number] = Part(path, path.open("wb", buffering=BUFFER_BYTES))
        return self.parts[number]

    def _look(self, frame: Any) -> None:
        self._looked_at += 1
        if self._looked_at % LOOK_EVERY == 1:
            left, right = channels_of(frame)
            self._energy_mixed += float(((left + right) ** 2).sum())
            self._energy_apart += float((left**2 + right**2).sum())


def channels_of(frame: Any) -> NDArray[np.float32]:
    """Return the samples of each channel: float32[channels, n] in [-1, 1]."""
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    rows = array if frame.format.is_planar else array.reshape(-1, channels).T
    packed = frame.format.packed.name
    if packed == "u8":
        return (np.asarray(rows, np.float32) - np.float32(128)) / np.float32(128)
    samples: NDArray[np.float32] = np.ascontiguousarray(rows, np.float32)
    return samples / np.float32(FULL_SCALE.get(packed, 1.0))


def _mono_frame(samples: NDArray[np.float32], rate: int) -> Any:
    row = np.ascontiguousarray(samples, np.float32)[None]
    frame = av.AudioFrame.from_ndarray(row, format="flt", layout="mono")
    frame.sample_rate = rate
    return frame


def sounding(parts: list[Part]) -> list[Part]:
    """Return the distinct parts with sound; the first part if all are silent."""
    loud = [part for part in parts if part.peak > SILENT_PEAK]
    found: list[Part] = []
    for part in loud:
        if not any(_is_same(part, other) for other in found):
            found.append(part)
    return found or parts[:1]


def _is_same(one: Part, other: Part) -> bool:
    if one.samples != other.samples:
        return False
    for left, right in zip(read_blocks(one.path), read_blocks(other.path), strict=True):
        if int(np.abs(left.astype(np.int32) - right).max(initial=0)) > SILENT_PEAK:
            return False
    return True


def read_blocks(path: Path) -> Iterator[NDArray[np.int16]]:
    """Yield the samples of a part, ten seconds at a time."""
    with path.open("rb") as file:
        while raw := file.read(2 * SAMPLE_RATE * 10):
            yield np.frombuffer(raw, np.int16)
