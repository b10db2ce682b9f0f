"""Tell in which of a recorder's two tracks something is heard."""

from __future__ import annotations

from array import array
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reflector.media.track import SAMPLE_RATE

LEVEL_SECONDS = 0.1
LEVEL = int(LEVEL_SECONDS * SAMPLE_RATE)
# So many times the energy of the other track: 6 dB
CLEARLY = 4.0


class Track(StrEnum):
    """What a recorder of two tracks has in its channels, from left to right."""

    MICROPHONE = "microphone"
    SHARED = "shared"


TRACKS = tuple(Track)


class TrackLevels:
    """The energy of each track of a recording, in each LEVEL_SECONDS of it."""

    def __init__(self) -> None:
        self._levels = [array("f") for _ in TRACKS]
        self._rest = np.zeros((0, len(TRACKS)), np.int16)

    def add(self, channels: NDArray[np.int16]) -> None:
        """Add the next sound: int16[n, 2], 16 kHz; zeros where there are no tracks."""
        self._rest = np.concatenate([self._rest, channels])
        whole = len(self._rest) // LEVEL
        pieces = self._rest[: whole * LEVEL].reshape(whole, LEVEL, len(TRACKS))
        for number, levels in enumerate(self._levels):
            levels.extend((pieces[:, :, number].astype(np.float32) ** 2).mean(axis=1).tolist())
        self._rest = self._rest[whole * LEVEL :]

    def track_of(self, start: float, end: float) -> Track | None:
        """Return which track is heard from second `start` to `end`; None if that is not clear."""
        first, last = int(start / LEVEL_SECONDS), int(end / LEVEL_SECONDS) + 1
        energies = [sum(levels[first:last]) for levels in self._levels]
        loud = max(energies)
        if not loud or loud < CLEARLY * min(energies):
            return None
        return TRACKS[energies.index(loud)]
