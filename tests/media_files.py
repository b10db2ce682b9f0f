"""Recordings of a tone in every kind of file that is accepted."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

# suffix → container, audio codec, with a picture
KINDS = {
    "mp3": ("mp3", "libmp3lame", False),
    "mp4": ("mp4", "aac", True),
    "m4a": ("ipod", "aac", False),
    "wav": ("wav", "pcm_s16le", False),
    "webm": ("webm", "libopus", False),
    "ogg": ("ogg", "vorbis", False),
    "opus": ("ogg", "libopus", False),
    "flac": ("flac", "flac", False),
    "aac": ("adts", "aac", False),
    "mkv": ("matroska", "libopus", True),
    "mov": ("mov", "aac", True),
}


def tone(seconds: float, rate: int = 16_000, frequency: float = 440.0) -> NDArray[np.float32]:
    moments = np.arange(int(seconds * rate)) / rate
    return np.sin(2 * np.pi * frequency * moments).astype(np.float32)


def make_file(path: Path, seconds: float, rate: int = 48_000, channels: int = 1) -> Path:
    container_name, codec, with_picture = KINDS[path.suffix[1:]]
    samples = (0.5 * tone(seconds, rate) * 32767).astype(np.int16)
    channels = 2 if codec == "vorbis" else channels  # all that FFmpeg's own Vorbis encoder can do
    interleaved = np.repeat(samples, channels)[None]
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w", format=container_name) as container:
        sound: Any = container.add_stream(codec, rate=rate)
        sound.layout = layout
        sound.options = {"strict": "experimental"}
        if with_picture:
            _picture(container)
        resampler = av.AudioResampler(
            format=sound.format.name if sound.format else "s16", layout=layout, rate=rate
        )
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=layout)
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            part.pts = None
            fifo.write(part)
        size = sound.codec_context.frame_size or 1024
        while (part := fifo.read(size, partial=True)) is not None:
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


def _picture(container: Any) -> None:
    stream = container.add_stream("mpeg4", rate=5)
    stream.width = stream.height = 64
    picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


def cut(source: Path, target: Path, start: float, seconds: float) -> Path:
    """A part of a recording as 16 kHz mono WAV."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(source)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    part = samples[int(start * 16_000) : int((start + seconds) * 16_000)]
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(part.tobytes())
    return target
