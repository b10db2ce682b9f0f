"""Make long recordings out of the sample meeting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from faster_whisper.audio import decode_audio

SAMPLE = Path(__file__).parent.parent / "tests" / "fixtures" / "recordings" / "sample.flac"
RATE = 16_000


def repeated(path: Path, minutes: float, speech: float = 1.0) -> Path:
    """Repeat the sample for `minutes`; `speech` is its share, and the rest is nearly silent."""
    sample = (decode_audio(str(SAMPLE)) * 32767).astype(np.int16)
    pause = np.random.default_rng(0).normal(0, 10, int(len(sample) * (1 - speech) / speech))
    unit = np.concatenate([sample, pause.astype(np.int16)])
    left = int(minutes * 60 * RATE)
    with av.open(str(path), "w") as container:
        codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame"}[path.suffix[1:]]
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE)
        while left > 0:
            frame = av.AudioFrame.from_ndarray(unit[:left][None], format="s16", layout="mono")
            frame.sample_rate = RATE
            left -= frame.samples
            for part in resampler.resample(frame):
                part.pts = None
                container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def seconds_of(recording: Path) -> float:
    with av.open(str(recording)) as container:
        assert container.duration is not None
        return float(container.duration / av.time_base)
