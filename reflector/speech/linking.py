"""Link speakers across blocks, and absorb those who are no person of their own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from reflector.speech.engines import DiarizeOptions

# Cosine distance below which two blocks' speakers are one person. pyannote's own pipelines merge
# clusters of single windows at 0.6–0.7; means over a block are far less noisy than these.
SAME_SPEAKER = 0.5
# A speaker with less speech than this in the whole recording is more often a part of another one
# than a person. The share is for short recordings, where somebody may say only a word
LEAST_SECONDS, LEAST_SHARE = 1.5, 0.05


def link_speakers(blocks: list[NDArray[np.float64]], options: DiarizeOptions) -> list[list[int]]:
    """Return, for each block, the numbers of its speakers in the whole recording.

    `blocks[i]`: float[speakers, dimension], mean embeddings. The clustering is agglomerative, with
    average linkage on cosine distance. It never joins two speakers of one block. With
    `max_speakers`, it goes on until that many are left, if possible.
    """
    owners = [(block, row) for block, rows in enumerate(blocks) for row in range(len(rows))]
    if not owners:
        return [[] for _ in blocks]
    vectors = np.array([blocks[block][row] for block, row in owners])
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    distance = 1.0 - vectors @ vectors.T
    clusters = [[index] for index in range(len(owners))]
    while True:
        best = _closest(clusters, distance, owners)
        if best is None:
            break
        gap, left, right = best
        too_many = options.max_speakers is not None and len(clusters) > options.max_speakers
        if gap > SAME_SPEAKER and not too_many:
            break
        clusters[left] += clusters.pop(right)
    numbers = {index: number for number, members in enumerate(clusters) for index in members}
    result: list[list[int]] = [[] for _ in blocks]
    for index, (block, _) in enumerate(owners):
        result[block].append(numbers[index])
    return result


def absorb_small(
    blocks: list[NDArray[np.float64]],
    numbers: list[list[int]],
    seconds: Mapping[int, float],
    options: DiarizeOptions,
) -> list[list[int]]:
    """Return `numbers` with the speakers who spoke too little merged into the nearest voice.

    `numbers` are those of `link_speakers`; the result counts 0, 1, … without gaps. `seconds` is the
    speech of each number. At least `min_speakers` speakers are kept.
    """
    by_length = sorted(seconds, key=lambda number: (-seconds[number], number))
    least = min(LEAST_SECONDS, LEAST_SHARE * sum(seconds.values()))
    kept = [
        number
        for place, number in enumerate(by_length)
        if seconds[number] >= least or place < max(1, options.min_speakers or 1)
    ]
    if not kept:
        return numbers
    voices = {number: np.array(voice) for number, voice in mean_voices(blocks, numbers).items()}

    def nearest(number: int) -> int:
        if number in kept:
            return number
        known = [other for other in kept if other in voices]
        if number not in voices or not known:
            return kept[0]
        return max(known, key=lambda other: float(voices[number] @ voices[other]))

    order = {number: place for place, number in enumerate(sorted(kept))}
    return [[order[nearest(number)] for number in rows] for rows in numbers]


def mean_voices(
    blocks: list[NDArray[np.float64]], numbers: list[list[int]]
) -> dict[int, list[float]]:
    """Return the mean embedding of each speaker over all blocks, float32 of length 1.

    `numbers` are those of `link_speakers`.
    """
    found: dict[int, list[NDArray[np.float64]]] = {}
    for rows, of_rows in zip(blocks, numbers, strict=True):
        for row, number in zip(rows, of_rows, strict=True):
            length = np.linalg.norm(row)
            if np.isfinite(length) and length > 0:
                found.setdefault(number, []).append(row / length)
    voices = {}
    for number, rows_of_speaker in sorted(found.items()):
        mean = np.mean(rows_of_speaker, axis=0)
        if (length := np.linalg.norm(mean)) > 0:
            voices[number] = (mean / length).astype(np.float32).tolist()
    return voices


def _closest(
    clusters: list[list[int]], distance: NDArray[np.float64], owners: list[tuple[int, int]]
) -> tuple[float, int, int] | None:
    best: tuple[float, int, int] | None = None
    for left in range(len(clusters)):
        for right in range(left + 1, len(clusters)):
            blocks_left = {owners[index][0] for index in clusters[left]}
            if blocks_left & {owners[index][0] for index in clusters[right]}:
                continue
            gap = float(distance[np.ix_(clusters[left], clusters[right])].mean())
            if best is None or gap < best[0]:
                best = gap, left, right
    return best
