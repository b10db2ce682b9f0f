"""Encode the MP3 that browsers play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from reflector.media.decode import PcmAudio, Progress
from reflector.media.track import SAMPLE_RATE

BIT_RATE = 48_000
BLOCK_SECONDS = 30
# Every frame has the same length, so a player can compute where a second is. The Xing table has 100
# entries and would be seconds off in a long recording.
EXACT_SEEKING = {"write_xing": "0", "id3v2_version": "0"}


def write_mp3(audio: PcmAudio, target: Path, progress: Progress) -> None:
    """Encode `audio` to the MP3 `target`: 16 kHz mono at 48 kbit/s.

    Recordings that are already MP3 are encoded again too: with a variable bit rate, or joined from
    several files, a browser seeks to the wrong second.
    """
    with av.open(str(target), mode="w", format="mp3", options=EXACT_SEEKING) as container:
        stream: Any = container.add_stream("libmp3lame", rate=SAMPLE_RATE)
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        # LAME's fastest algorithm: half the time, without an audible difference for speech
        stream.options = {"compression_level": "9", "reservoir": "0"}
        block = BLOCK_SECONDS * SAMPLE_RATE
        for start in range(0, audio.samples, block):
            samples = (audio.read(start, start + block) * 32768.0).astype("int16")
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts = start
            container.mux(stream.encode(frame))
            progress(start / SAMPLE_RATE)
        container.mux(stream.encode(None))
