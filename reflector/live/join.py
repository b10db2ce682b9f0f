"""Make one recording of the segments of a journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from reflector.errors import InvalidInput
from reflector.live.opus import RATE, OpusFile
from reflector.media.frames import Damage, read_frames
from reflector.media.probe import open_media
from reflector.storage.durable import sync


def is_readable(path: Path) -> bool:
    """Return whether the segment has any sound."""
    try:
        with path.open("rb") as file, open_media(file) as (container, streams):
            return any(packet.size for packet in container.demux(streams[0]))
    except InvalidInput:
        return False


def join(segments: Sequence[Path], target: Path, has_tracks: bool = False) -> None:
    """Write the sound of all `segments`, one after the other, to `target`.

    With `has_tracks`, left and right channel stay apart, otherwise they are mixed.
    Segments that this server has encoded are copied. Those of browsers are encoded again: their
    formats and times differ.
    """
    if all(path.suffix == ".ogg" for path in segments):
        _join_packets(segments, target)
    else:
        _join_frames(segments, target, has_tracks)
    sync(target)


def _join_packets(segments: Sequence[Path], target: Path) -> None:
    with av.open(str(target), "w", format="ogg") as out:
        copy: Any = None
        end = 0
        for path in segments:
            copy, end = _copy(path, out, copy, end)


def _join_frames(segments: Sequence[Path], target: Path, has_tracks: bool) -> None:
    with target.open("wb") as file:
        out = OpusFile(file, "stereo" if has_tracks else "mono")
        for path in segments:
            out.begin_source()
            with path.open("rb") as source, open_media(source) as (container, streams):
                for _, frame in read_frames(container, streams[:1], Damage()):
                    out.write(frame)
        out.finish()


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
