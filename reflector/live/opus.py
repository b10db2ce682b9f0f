"""Encode sound to Ogg/Opus: 48 kHz, in pages of a fifth of a second.

All but the last page of an interrupted file can be read.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, BinaryIO

import av
from av import AudioFrame

RATE = 48_000
BIT_RATE = 64_000  # of a channel; Opus: transparent for speech
OGG = {"page_duration": "200000", "flush_packets": "1"}  # microseconds
# Lost packets become silence, so that times stay correct; a longer gap is a pause
LONGEST_GAP = 60 * RATE


class OpusFile:
    """Write frames of any format to `file`, as mono or stereo. Gaps between their times become silence."""

    def __init__(self, file: BinaryIO, layout: str = "mono") -> None:
        self._layout = layout
        self._out = av.open(file, "w", format="ogg", options=OGG)
        self._stream: Any = self._out.add_stream("libopus", rate=RATE)
        self._stream.layout = layout
        self._stream.bit_rate = BIT_RATE * self._stream.layout.nb_channels
        self._written = 0  # samples
        self.begin_source()

    def begin_source(self) -> None:
        """Continue with the frames of another source, whose times begin anew."""
        self._resampler = av.AudioResampler("s16", self._layout, RATE)
        self._origin: int | None = None

    @property
    def seconds(self) -> float:
        return self._written / RATE

    def write(self, frame: AudioFrame) -> None:
        """Add audio; `frame.pts` counts samples at its own rate.

        Raises OSError if the disk is full.
        """
        for piece in self._resampler.resample(frame):
            position = int((piece.pts or 0) * (piece.time_base or Fraction(1, RATE)) * RATE)
            if self._origin is None:
                self._origin = position - self._written
            missing = position - self._origin - self._written
            if missing > piece.samples:  # less than a packet is drift of the sender's clock
                if missing <= LONGEST_GAP:
                    self._encode_silence(missing)
                else:
                    self._origin += missing
            self._encode(piece)

    def _encode_silence(self, samples: int) -> None:
        """Encode silence in pieces of a second: a minute at once would take 6 MB and much time."""
        while samples > 0:
            piece = min(samples, RATE)
            self._encode(_silence(piece, self._layout))
            samples -= piece

    def _encode(self, frame: AudioFrame) -> None:
        frame.pts, frame.time_base = self._written, Fraction(1, RATE)
        self._written += frame.samples
        self._out.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds, if anything was written. The file stays open."""
        if self._written:
            self._out.mux(self._stream.encode(None))
            self._out.close()


def _silence(samples: int, layout: str) -> AudioFrame:
    frame = AudioFrame("s16", layout, samples)
    frame.sample_rate = RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
