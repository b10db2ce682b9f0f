"""Recordings that are odd in one way: several tracks, late sound, many channels, damage."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Samples = NDArray[np.int16]


def sine(seconds: float, frequency: float = 440.0, rate: int = RATE) -> Samples:
    moments = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * moments) * 32767).astype(np.int16)


def steps(first: int, last: int, rate: int = RATE) -> Samples:
    """Second i is a tone of 300 + 10 i Hz, so that what is heard tells where it is."""
    return np.concatenate([sine(1.0, 300 + 10 * second, rate) for second in range(first, last)])


@dataclass(frozen=True)
class Sound:
    """A track: mono samples that begin at `offset` seconds."""

    samples: Samples
    codec: str = "libopus"
    rate: int = RATE
    offset: float = 0.0
    layout: str = "mono"
    bit_rate: int | None = None


def container(
    kind: str,
    sounds: Sequence[Sound],
    video_seconds: float = 0.0,
    options: dict[str, str] | None = None,
) -> bytes:
    """A file of `kind` with all `sounds` and, if wanted, a picture from second 0 on."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind, options=options or {}) as out:
        picture = _add_picture(out) if video_seconds else None
        streams = [_add_stream(out, sound) for sound in sounds]
        if picture is not None:
            for number in range(int(video_seconds * 5)):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                frame.pts = number
                out.mux(picture.encode(frame))
            out.mux(picture.encode(None))
        for stream, sound in zip(streams, sounds, strict=True):
            _encode(out, stream, sound)
    return file.getvalue()


def _add_picture(out: Any) -> Any:
    stream = out.add_stream("mpeg4", rate=5)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    return stream


def _add_stream(out: Any, sound: Sound) -> Any:
    stream = out.add_stream(sound.codec, rate=sound.rate)
    stream.layout = sound.layout
    if sound.bit_rate:
        stream.bit_rate = sound.bit_rate
    return stream


def _encode(out: Any, stream: Any, sound: Sound) -> None:
    if len(sound.samples):
        frame = av.AudioFrame.from_ndarray(sound.samples[None], format="s16", layout="mono")
        frame.sample_rate = sound.rate
        resampler = av.AudioResampler(stream.codec_context.format.name, sound.layout, sound.rate)
        fifo = av.AudioFifo()
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            part.pts = None
            fifo.write(part)
        position = round(sound.offset * sound.rate)
        size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            piece.pts, piece.time_base = position, Fraction(1, sound.rate)
            position += piece.samples
            out.mux(stream.encode(piece))
    out.mux(stream.encode(None))


def wav(channels: Sequence[Samples], rate: int = RATE, header_rate: int | None = None) -> bytes:
    """WAV of one row for each channel; its header may claim another rate."""
    claimed = header_rate or rate
    data = np.stack(channels).T.tobytes()
    width = 2 * len(channels)
    head = struct.pack("<HHIIHH", 1, len(channels), claimed, claimed * width, width, 16)
    return (
        b"RIFF" + struct.pack("<I", 28 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip


def damaged(content: bytes, bytes_flipped: int, seed: int) -> bytes:
    """`content` with one bit flipped in so many bytes of its middle three fifths."""
    chance, data = random.Random(seed), bytearray(content)
    for _ in range(bytes_flipped):
        data[chance.randrange(len(data) // 5, len(data) * 4 // 5)] ^= 1 << chance.randrange(8)
    return bytes(data)


def id3_picture(size: int) -> bytes:
    """An ID3 tag with a cover of `size` random bytes, as joined MP3s have in their middle."""
    cover = b"\0image/png\0\x03\0" + random.Random(0).randbytes(size)
    frame = b"APIC" + struct.pack(">I", len(cover)) + b"\0\0" + cover
    length = len(frame)
    syncsafe = bytes((length >> shift) & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + syncsafe + frame
