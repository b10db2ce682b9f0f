"""Load real speech with known words, the same under difficult conditions, and sound without words.

All samples are float32[n], mono, 16 kHz.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from reflector.media.decode import SAMPLE_RATE

Samples = NDArray[np.float32]

AUDIO = Path(__file__).resolve().parents[3] / "shared" / "audio"
KOKORO = "Welcome to Moonshine Voice Text to Speech."
WORDS = {
    "jfk": "And so my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country.",
    "librispeech-6930-75918-0000": "Concord returned to its place amidst the tents",
    "librispeech-7902-96591-0000": "I am from the cutter lying off the coast",
    **{f"kokoro-{name}": KOKORO for name in ("af_bella", "am_adam", "bm_daniel")},
}
PAUSE = np.zeros(int(0.75 * SAMPLE_RATE), np.float32)
SECONDS_WITHOUT_WORDS = 30


def load(path: Path) -> Samples:
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    pieces = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            pieces += [part.to_ndarray()[0] for part in resampler.resample(frame)]
        pieces += [part.to_ndarray()[0] for part in resampler.resample(None)]
    whole: Samples = np.concatenate(pieces).astype(np.float32) / np.float32(32768)
    return whole


def telephone_call() -> tuple[Samples, str, Path]:
    """Return samples, words and RTTM file of the conversation that comes with pyannote.audio."""
    spec = find_spec("pyannote")  # without importing pyannote.audio, which takes long
    assert spec is not None, "pyannote.audio is not installed"
    folder = Path(next(iter(spec.submodule_search_locations or []))) / "audio" / "sample"
    lines = [line.split(None, 5) for line in (folder / "sample.stm").read_text().splitlines()]
    words = " ".join(line[5] for line in lines if len(line) == 6)
    return load(folder / "sample.wav"), words, folder / "sample.rttm"


def clean() -> dict[str, tuple[Samples, str]]:
    """Return recordings with their words, by name."""
    found = {name: (load(AUDIO / f"{name}.flac"), words) for name, words in WORDS.items()}
    samples, words, _ = telephone_call()
    return {**found, "telephone call": (samples, words)}


def meeting() -> tuple[Samples, str]:
    """Return all clean recordings one after the other."""
    parts = list(clean().values())
    samples = np.concatenate([piece for part, _ in parts for piece in (part, PAUSE)])
    return samples, " ".join(words for _, words in parts)


def hardships() -> dict[str, tuple[Samples, str]]:
    samples, words = meeting()
    chance = np.random.default_rng(1)
    noise = chance.standard_normal(60 * SAMPLE_RATE).astype(np.float32) * 0.1
    made: dict[str, Samples] = {
        "as it is": samples,
        **{f"noise at {level} dB": with_noise(samples, level) for level in (10, 5, 0)},
        "low level": samples * 0.01,
        "clipped": np.clip(samples * 20, -0.6, 0.6),
        "telephone band": _telephone(samples),
        "music below": samples + 0.15 * music(len(samples)),
        "a minute of noise before": np.concatenate([noise, samples]),
    }
    return {name: (_as_recorded(each), words) for name, each in made.items()}


def without_words() -> dict[str, Samples]:
    length = SECONDS_WITHOUT_WORDS * SAMPLE_RATE
    chance = np.random.default_rng(2)
    moments = np.arange(length) / SAMPLE_RATE
    made: dict[str, Samples] = {
        "silence": np.zeros(length, np.float32),
        "noise": chance.standard_normal(length).astype(np.float32) * 0.1,
        "hum": (0.3 * np.sin(2 * np.pi * 50 * moments)).astype(np.float32),
        "music": 0.5 * music(length),
        "typing": _typing(length),
    }
    return {name: _as_recorded(each) for name, each in made.items()}


def _as_recorded(samples: Samples) -> Samples:
    """Round the samples to 16 bits: every engine gets those."""
    whole = np.round(np.clip(samples, -1, 1) * 32767).astype(np.float32)
    rounded: Samples = whole / np.float32(32768)
    return rounded


def with_noise(samples: Samples, decibels: float) -> Samples:
    """Add white noise that is `decibels` below the speech."""
    noise = np.random.default_rng(3).standard_normal(len(samples)).astype(np.float32)
    loud = samples[np.abs(samples) > 0.01]
    level = np.sqrt((loud**2).mean()) * 10 ** (-decibels / 20)
    mixed: Samples = samples + noise * np.float32(level)
    return mixed


def _telephone(samples: Samples) -> Samples:
    """Return the samples as on the telephone: 300 to 3,400 Hz in 8-bit μ-law (ITU-T G.711)."""
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(frequencies < 300) | (frequencies > 3400)] = 0
    band = np.fft.irfft(spectrum, len(samples))
    band = band / np.abs(band).max() * 0.9
    coded = np.round(np.sign(band) * np.log1p(255 * np.abs(band)) / np.log(256) * 127) / 127
    heard: Samples = (np.sign(coded) * (256 ** np.abs(coded) - 1) / 255).astype(np.float32)
    return heard


def music(length: int) -> Samples:
    """Return four chords that repeat, plucked twice a second."""
    chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262), (262, 330, 392)]
    beat = SAMPLE_RATE // 2
    moments = np.arange(beat) / SAMPLE_RATE

    def plucked(chord: tuple[int, int, int]) -> NDArray[np.float64]:
        tones = [
            np.sin(2 * np.pi * pitch * harmonic * moments) / harmonic
            for pitch in chord
            for harmonic in (1, 2, 3)
        ]
        total: NDArray[np.float64] = np.exp(-3 * moments) * np.sum(tones, axis=0)
        return total

    beats = [plucked(chords[number // 2 % 4]) for number in range(length // beat + 1)]
    played = np.concatenate(beats)[:length]
    notes: Samples = (played / np.abs(played).max()).astype(np.float32)
    return notes


def _typing(length: int) -> Samples:
    chance = np.random.default_rng(4)
    clicks = np.zeros(length, np.float32)
    for start in range(0, length - 2400, 2400):
        at = start + int(chance.integers(0, 1500))
        clicks[at : at + 400] += (
            0.4 * chance.standard_normal(400) * np.exp(-np.arange(400) / 60)
        ).astype(np.float32)
    return clicks
