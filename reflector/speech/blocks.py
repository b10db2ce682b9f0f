"""Divide long recordings into blocks, to bound memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reflector.media.decode import SAMPLE_RATE, PcmAudio

SEARCH_SECONDS = 60
QUIET_SECONDS = 0.3


def blocks(
    audio: PcmAudio, seconds: float, first: float | None = None
) -> Iterator[tuple[int, int]]:
    """Yield sample ranges of about `seconds`, cut at the quietest moment of their last minute.

    `first` is the length of the first block, if that is wanted sooner. A rest of less than a minute
    belongs to the last block, so no block is very short.
    """
    size = int((first or seconds) * SAMPLE_RATE)
    start = 0
    while audio.samples - start > size + (search := _search(size)):
        end = _quietest(audio, start + size - search, start + size)
        yield start, end
        start, size = end, int(seconds * SAMPLE_RATE)
    yield start, audio.samples


def _search(size: int) -> int:
    return min(SEARCH_SECONDS * SAMPLE_RATE, size // 2)


def _quietest(audio: PcmAudio, start: int, end: int) -> int:
    """Return the middle of the 0.3 s with the least energy in `[start, end)`."""
    hop = int(QUIET_SECONDS * SAMPLE_RATE / 3)
    samples = audio.read(start, end)
    energy = (samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)
    smooth = np.convolve(energy, np.ones(3), mode="valid")
    return start + int(np.argmin(smooth)) * hop + hop + hop // 2
