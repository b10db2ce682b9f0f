"""Pad a track of a meeting with silence, and mix several tracks into one.

Audio is processed in blocks of a second, so memory does not grow with the length of a meeting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from reflector.errors import InvalidInput
from reflector.media.frames import Damage, read_frames
from reflector.media.probe import UNREADABLE, open_media

Samples = NDArray[np.float32]
Check = Callable[[], None]

RATE = 48_000
BIT_RATE = 64_000
MP3_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}


def pad(source: BinaryIO, seconds: float, target: Path, check: Check) -> None:
    """Write `source` with `seconds` of silence before it to `target`, as WebM/Opus.

    Raises InvalidInput if it has no sound.
    """
    blocks = _delayed(_blocks(source, RATE), round(seconds * RATE), RATE)
    _write(blocks, target, "webm", "libopus", RATE, check)


def mix(sources: Sequence[tuple[BinaryIO, float]], rate: int, target: Path, check: Check) -> float:
    """Mix all `sources`, each begun at its offset in seconds, to one MP3; return its seconds.

    Tracks are added up and clipped. People seldom all speak at once, and a mean would make each of
    them quieter the more take part.
    """
    tracks = [
        _delayed(_blocks(source, rate), round(offset * rate), rate) for source, offset in sources
    ]
    return _write(_sum(tracks), target, "mp3", "libmp3lame", rate, check)


def _blocks(source: BinaryIO, rate: int) -> Iterator[Samples]:
    """Yield mono blocks of a second; the last one may be shorter."""
    waiting = np.empty(0, np.float32)
    for piece in _decoded(source, rate):
        waiting = np.concatenate([waiting, piece])
        while len(waiting) >= rate:
            yield waiting[:rate]
            waiting = waiting[rate:]
    if len(waiting):
        yield waiting


def _decoded(source: BinaryIO, rate: int) -> Iterator[Samples]:
    resampler, kind, damage, sounded = None, None, Damage(), False
    with open_media(source) as (container, streams):
        for _, frame in read_frames(container, streams[:1], damage):
            sounded = True
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or now != kind:
                yield from _rest(resampler)
                resampler, kind = av.AudioResampler("fltp", "mono", rate), now
            frame.pts = None
            for part in resampler.resample(frame):
                yield part.to_ndarray()[0]
        yield from _rest(resampler)
    if not sounded:
        raise InvalidInput(UNREADABLE)


def _rest(resampler: Any) -> Iterator[Samples]:
    if resampler is not None:
        for part in resampler.resample(None):
            yield part.to_ndarray()[0]


def _delayed(blocks: Iterator[Samples], silence: int, rate: int) -> Iterator[Samples]:
    """Yield `blocks` after `silence` samples, again in blocks of a second."""
    while silence >= rate:
        yield np.zeros(rate, np.float32)
        silence -= rate
    carried = np.zeros(silence, np.float32)
    for block in blocks:
        joined = np.concatenate([carried, block])
        yield joined[:rate]
        carried = joined[rate:]
    if len(carried):
        yield carried


def _sum(tracks: list[Iterator[Samples]]) -> Iterator[Samples]:
    while True:
        parts = [part for part in (next(track, None) for track in tracks) if part is not None]
        if not parts:
            return
        total = np.zeros(max(len(part) for part in parts), np.float32)
        for part in parts:
            total[: len(part)] += part
        yield np.clip(total, -1.0, 1.0)


def _write(
    blocks: Iterator[Samples], target: Path, container: str, codec: str, rate: int, check: Check
) -> float:
    written = 0
    with av.open(str(target), "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        for block in blocks:
            check()
            whole = (block * 32767.0).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
            frame.sample_rate = rate
            frame.pts, frame.time_base = written, Fraction(1, rate)
            written += len(block)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return written / rate
