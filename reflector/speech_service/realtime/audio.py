"""Convert the audio formats of realtime sessions to int16[n], mono, 16 kHz."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reflector.errors import InvalidInput
from reflector.media.decode import SAMPLE_RATE

# ITU-T G.711, as telephones send it
CODECS = {"audio/pcmu": "pcm_mulaw", "audio/pcma": "pcm_alaw"}
TELEPHONE_RATE = 8_000
USUAL_RATE, LEAST_RATE, MOST_RATE = 24_000, 8_000, 96_000


@dataclass(frozen=True)
class AudioFormat:
    """`kind` is `audio/pcm` (16 bits, little-endian), `audio/pcmu` or `audio/pcma`; one channel."""

    kind: str = "audio/pcm"
    rate: int = USUAL_RATE

    def as_json(self) -> dict[str, Any]:
        rate = {"rate": self.rate} if self.kind == "audio/pcm" else {}
        return {"type": self.kind, **rate}


# The names of the protocol's first version
OLD_NAMES = {
    "pcm16": AudioFormat(),
    "g711_ulaw": AudioFormat("audio/pcmu", TELEPHONE_RATE),
    "g711_alaw": AudioFormat("audio/pcma", TELEPHONE_RATE),
}


def read_format(value: Any) -> AudioFormat:
    """Return the format that a client asks for. Raises InvalidInput for an unknown one."""
    if isinstance(value, str) and value in OLD_NAMES:
        return OLD_NAMES[value]
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in CODECS:
        return AudioFormat(kind, TELEPHONE_RATE)
    rate = value.get("rate", USUAL_RATE) if isinstance(value, dict) else None
    if kind == "audio/pcm" and isinstance(rate, int) and LEAST_RATE <= rate <= MOST_RATE:
        return AudioFormat(kind, rate)
    raise InvalidInput(
        "format has to be audio/pcm with a rate of 8,000 to 96,000 Hz, audio/pcmu or audio/pcma."
    )


class Decoder:
    """Decode the base64 pieces of one session, in one format."""

    def __init__(self, wanted: AudioFormat) -> None:
        self.format = wanted
        self._resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
        codec = CODECS.get(wanted.kind)
        self._codec: Any = av.CodecContext.create(codec, "r") if codec else None
        if self._codec is not None:
            self._codec.sample_rate, self._codec.layout = wanted.rate, "mono"
        self._rest = b""
        self._position = 0

    def decode(self, text: Any) -> NDArray[np.int16]:
        """Return the samples of a piece. Raises InvalidInput if it is not base64."""
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise InvalidInput("audio has to be base64.") from error
        frames = self._telephone(data) if self._codec is not None else self._pcm(data)
        parts = []
        for frame in frames:
            frame.pts, frame.time_base = self._position, Fraction(1, self.format.rate)
            self._position += frame.samples
            parts += [part.to_ndarray()[0] for part in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _telephone(self, data: bytes) -> list[Any]:
        return list(self._codec.decode(av.Packet(data))) if data else []

    def _pcm(self, data: bytes) -> list[Any]:
        data = self._rest + data
        even = len(data) // 2 * 2
        self._rest = data[even:]
        if not even:
            return []
        samples = np.frombuffer(data[:even], "<i2").astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = self.format.rate
        return [frame]
