"""Compute about 255 peaks of a recording, in one pass and in constant memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLICES = 255
BUCKET_SECONDS = 0.01


class Waveform:
    """Collect the peak of every 10 ms; join short buckets when there are too many.

    Joining keeps at most 2¹⁶ buckets. So each of the 255 slices is exact to within a two-hundredth
    of its own length, for a recording of any length.
    """

    LIMIT = 1 << 16

    def __init__(self, sample_rate: int) -> None:
        self._size = max(1, int(sample_rate * BUCKET_SECONDS))
        self._peaks: list[NDArray[np.int32]] = []
        self._count = 0
        self._rest = np.zeros(0, np.int16)

    def add(self, samples: NDArray[np.int16]) -> None:
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(joined) // self._size
        if whole:
            blocks = joined[: whole * self._size].astype(np.int32).reshape(whole, self._size)
            self._peaks.append(np.abs(blocks).max(axis=1))
            self._count += whole
        self._rest = joined[whole * self._size :].copy()
        if self._count >= self.LIMIT:
            self._halve()

    def _halve(self) -> None:
        peaks = np.concatenate(self._peaks)
        even = len(peaks) // 2 * 2
        # An odd last bucket goes back to the rest, as loud samples in its place
        left = peaks[even:]
        self._peaks = [peaks[:even].reshape(-1, 2).max(axis=1)]
        self._count = even // 2
        if len(left):
            filler = np.full(self._size, min(int(left[0]), 32767), np.int16)
            self._rest = np.concatenate([filler, self._rest])
        self._size *= 2

    def peaks(self) -> list[float]:
        """Return peaks of equal time slices: absolute, two decimals, the largest 1.0.

        They are 0 for silence.
        """
        rest = [np.array([np.abs(self._rest.astype(np.int32)).max()])] if len(self._rest) else []
        peaks = np.concatenate([*self._peaks, *rest]) if self._peaks or rest else np.zeros(1)
        edges = np.linspace(0, len(peaks), min(SLICES, len(peaks)) + 1).astype(int)
        slices = np.maximum.reduceat(peaks, edges[:-1]).astype(np.float64)
        top = slices.max()
        return [round(float(value), 2) for value in (slices / top if top > 0 else slices)]
