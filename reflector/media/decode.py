"""Decode a recording to a file of 16 kHz mono samples, and compute peaks for the waveform.

Memory does not grow with the length of the recording. Samples are kept as 16-bit integers, as in
faster-whisper's own decoder, so that the engines hear the same as from the file itself. `PcmAudio`
returns them as float32.

All tracks and channels are used: each is decoded to a file of its own, and those with sound are
mixed. A usual recording gives a single file, which is not written again. Channels that have to be
kept `apart` stay beside the mix.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from reflector.errors import InvalidInput, OutOfSpace
from reflector.media.frames import Damage, read_frames
from reflector.media.probe import NO_AUDIO, UNREADABLE, open_media
from reflector.media.track import SAMPLE_RATE, Part, Track, read_blocks, sounding
from reflector.media.waveform import Waveform

__all__ = ["SAMPLE_RATE", "Decoded", "PcmAudio", "Progress", "channel_file", "decode"]

REPORT_SECONDS = 1.0
MIB = 1 << 20
# Free space that a decoded recording must leave on the disk
RESERVE_BYTES, RESERVE_SHARE = 256 * MIB, 0.01
# Hours of compressed silence take only a few bytes. After the first hour, a recording must have at
# least 50 bytes a second (400 bit/s; the lowest rates of speech codecs are above that), and it may
# last up to a day.
FREE_SECONDS, MIN_BYTES_PER_SECOND = 3600.0, 50
MAX_SECONDS = 24 * 3600.0
# Containers whose timestamps are times of the recording; FFmpeg makes up those of the others
TIMED = {"mov", "matroska", "webm", "ogg", "mpegts", "mpeg", "asf", "flv"}

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Decoded:
    """The result of decoding.

    `duration` is in seconds, `waveform` as in the API. `bad_packets` could not be decoded.
    `remarks` are sentences on how several tracks or channels were combined. `apart` are the numbers
    of the channels that are kept, from left to right; none if only one has sound of its own.
    """

    duration: float
    waveform: list[float]
    bad_packets: int
    remarks: tuple[str, ...] = ()
    apart: tuple[int, ...] = ()


def channel_file(mix: Path, channel: int) -> Path:
    """Return where a channel is kept of the recording whose mix is in `mix`."""
    return mix.with_name(f"{mix.stem}.channel{channel}{mix.suffix}")


class PcmAudio:
    """Decoded audio on disk: int16, mono, 16 kHz, read in pieces."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = path.stat().st_size // 2

    @property
    def duration(self) -> float:
        return self.samples / SAMPLE_RATE

    def read(self, start: int, end: int) -> NDArray[np.float32]:
        """Return samples `[start, end)` as float32[n] in [-1, 1)."""
        start, end = max(0, start), min(end, self.samples)
        raw = np.fromfile(self.path, np.int16, count=max(0, end - start), offset=2 * start)
        return raw.astype(np.float32) / 32768.0


def decode(
    source: BinaryIO, target: Path, progress: Progress | None = None, *, apart: bool = False
) -> Decoded:
    """Write the sound of `source` to `target`; `progress` gets the seconds done.

    With `apart`, the channels of a single stereo track are kept, too, each in its `channel_file`.
    The file appears under its name only when it is complete, so several processes may write it at
    once. Raises InvalidInput if nothing can be decoded, and OutOfSpace before the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=f"{target.name}.", suffix=".part"
    ) as name:
        decoder = _Decoder(source, Path(name), progress, apart)
        try:
            tracks, damage = decoder.run(set())
            if cancelled := {index for index, track in tracks.items() if track.is_cancelled_out}:
                tracks, damage = decoder.run(cancelled)
        finally:
            decoder.close()
        parts = [part for track in tracks.values() for part in track.parts.values()]
        if not any(part.samples for part in parts):
            raise InvalidInput(UNREADABLE if damage.packets else NO_AUDIO)
        heard = sounding(parts)
        waveform = Waveform(SAMPLE_RATE)
        mixed = _mixed(heard, Path(name) / "mixed", waveform)
        samples = mixed.stat().st_size // 2
        kept = _keep_channels(tracks, heard, target) if apart else ()
        mixed.replace(target)  # last: where it is, the channels are
    remarks = () if kept else _remarks(tracks, heard, cancelled)
    return Decoded(samples / SAMPLE_RATE, waveform.peaks(), damage.packets, remarks, kept)


def _keep_channels(
    tracks: dict[int, Track], heard: Sequence[Part], target: Path
) -> tuple[int, ...]:
    if len(tracks) != 1 or len(heard) < 2:
        return ()
    (track,) = tracks.values()
    kept = tuple(number for number, part in sorted(track.parts.items()) if part in heard)
    for number in kept:
        track.parts[number].path.replace(channel_file(target, number))
    return kept


class _Decoder:
    """Decode one recording; `run` again if the first pass found that channels cancel out."""

    def __init__(
        self, source: BinaryIO, folder: Path, progress: Progress | None, apart: bool
    ) -> None:
        self._source, self._folder, self._progress = source, folder, progress
        self._apart = apart
        self._tracks: dict[int, Track] = {}
        self._size = source.seek(0, os.SEEK_END)
        self._reported = 0.0
        self._reserve = min(RESERVE_BYTES, shutil.disk_usage(folder).total * RESERVE_SHARE)

    def run(self, left_only: set[int]) -> tuple[dict[int, Track], Damage]:
        """Return the tracks with sound, by the index of their stream, and the damage."""
        self.close()
        damage = Damage()
        with open_media(self._source) as (container, streams):
            for stream in streams:
                stream.thread_type = "AUTO"
            self._tracks = {
                stream.index: self._track(container, stream.index, stream.index in left_only)
                for stream in streams
            }
            for stream, frame in read_frames(container, streams, damage):
                track = self._tracks[stream.index]
                track.add(frame)
                self._look(track.seconds)
        self.close()
        return {index: track for index, track in self._tracks.items() if track.parts}, damage

    def _track(self, container: Any, index: int, left_only: bool) -> Track:
        start, length = container.start_time, container.duration
        return Track(
            folder=self._folder,
            name=f"track{index}",
            is_timed=bool(TIMED & set(container.format.name.split(","))),
            origin=float(start / av.time_base) if start is not None else 0.0,
            duration=float(length / av.time_base) if length else None,
            left_only=left_only,
            apart=self._apart,
        )

    def _look(self, seconds: float) -> None:
        """Report progress, and stop if the sound is too long or the disk is nearly full."""
        now = time.monotonic()
        if now - self._reported < REPORT_SECONDS and seconds < FREE_SECONDS:
            return
        if seconds > min(MAX_SECONDS, FREE_SECONDS + self._size / MIN_BYTES_PER_SECOND):
            raise InvalidInput(
                f"File says that it lasts more than {seconds / 3600:.0f} hours, which is too long "
                "for its size or longer than a day. Cut it into parts."
            )
        if now - self._reported < REPORT_SECONDS:
            return
        self._reported = now
        if shutil.disk_usage(self._folder).free < self._reserve:
            raise OutOfSpace(f"There is no room in {self._folder.parent} for the decoded sound.")
        if self._progress:
            self._progress(seconds)

    def close(self) -> None:
        with ExitStack() as closing:
            for track in self._tracks.values():
                closing.callback(track.close)


def _mixed(parts: Sequence[Part], target: Path, waveform: Waveform) -> Path:
    """Return the sum of all `parts`, scaled down as a whole if it would clip."""
    if len(parts) == 1:
        for samples in read_blocks(parts[0].path):
            waveform.add(samples)
        return parts[0].path
    loudest = max(int(np.abs(block).max(initial=0)) for block in _sums(parts))
    scale = min(1.0, 32767 / max(1, loudest))
    with target.open("wb", buffering=MIB) as out:
        for block in _sums(parts):
            quieter = np.round(block * scale).astype(np.int16)
            out.write(quieter.tobytes())
            waveform.add(quieter)
    return target


def _sums(parts: Sequence[Part]) -> Iterator[NDArray[np.int64]]:
    readers = [read_blocks(part.path) for part in parts]
    while blocks := [
        block for block in (next(each, None) for each in readers) if block is not None
    ]:
        total = np.zeros(max(len(block) for block in blocks), np.int64)
        for block in blocks:
            total[: len(block)] += block
        yield total


def _remarks(
    tracks: dict[int, Track], heard: Sequence[Part], cancelled: set[int]
) -> tuple[str, ...]:
    found = []
    parts = sum(len(track.parts) for track in tracks.values())
    kind = "tracks" if len(tracks) > 1 else "channels"
    if len(heard) > 1:
        found.append(f"Sound of {len(heard)} of {parts} {kind} was mixed.")
    elif parts > 1:
        found.append(f"Only one of {parts} {kind} has sound of its own; that one was used.")
    if cancelled:
        found.append(
            "Left and right channel cancel each other out when they are mixed; the left was used."
        )
    return tuple(found)
