"""Find with word statistics where the subject changes and which sentences say the most.

Sources: M. A. Hearst, "TextTiling", Computational Linguistics 23(1), 1997 (depth scores between
blocks); G. Erkan and D. R. Radev, "LexRank", JAIR 22, 2004 (centrality of sentences).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import stopwordsiso
from numpy.typing import NDArray

from reflector.transcript.marks import MARKS

TOKEN = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{MARKS}]){{2,}}")
SMOOTHING, ITERATIONS = 0.85, 30
MAX_CENTRAL = 1500


@lru_cache(maxsize=16)
def stopwords(language: str) -> frozenset[str]:
    """Return words that say nothing about the subject; the English ones for an unknown language."""
    code = language[:2].lower()
    return frozenset(stopwordsiso.stopwords(code if stopwordsiso.has_lang(code) else "en"))


def terms(sentence: str, language: str) -> Counter[str]:
    ignored = stopwords(language)
    return Counter(token for token in TOKEN.findall(sentence.lower()) if token not in ignored)


def key_terms(parts: Sequence[Counter[str]], index: int, count: int) -> list[str]:
    """Return the `count` terms that part `index` says most and the other parts say least."""
    spread = Counter(term for part in parts for term in part)
    scores = {
        term: said * math.log(1 + len(parts) / spread[term]) for term, said in parts[index].items()
    }
    return sorted(scores, key=lambda term: (-scores[term], term))[:count]


def vectors(sentences: Sequence[str], language: str) -> NDArray[np.float32]:
    """Return TF-IDF vectors: float32[sentences, terms], rows of length 1 (or 0 without terms)."""
    counts = [terms(sentence, language) for sentence in sentences]
    document_frequency = Counter(term for count in counts for term in count)
    # Words said once link nothing; without them the matrix of a long meeting stays small
    kept = [term for term, n in document_frequency.most_common(4000) if n > 1]
    index = {term: column for column, term in enumerate(kept)}
    matrix = np.zeros((len(sentences), max(1, len(index))), np.float32)
    for row, count in enumerate(counts):
        for term, n in count.items():
            if term in index:
                weight = np.log(1 + len(sentences) / document_frequency[term])
                matrix[row, index[term]] = n * weight
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(norms > 0, norms, 1), np.float32)


def boundaries(matrix: NDArray[np.float32], block: int, count: int) -> list[int]:
    """Return at most `count` rows before which the subject changes most, in order."""
    total = len(matrix)
    if total < 2 * block or count < 1:
        return []
    similarity = np.ones(total)
    for gap in range(block, total - block + 1):
        left, right = matrix[gap - block : gap].sum(0), matrix[gap : gap + block].sum(0)
        norm = float(np.linalg.norm(left) * np.linalg.norm(right))
        similarity[gap] = float(left @ right) / norm if norm > 0 else 0.0
    depth = np.array([_depth(similarity, gap) for gap in range(total)])
    chosen: list[int] = []
    for gap in np.argsort(-depth):
        near = any(abs(int(gap) - other) < block for other in chosen)
        if len(chosen) < count and depth[gap] > 0 and not near and block <= gap <= total - block:
            chosen.append(int(gap))
    return sorted(chosen)


def _depth(similarity: NDArray[np.float64], gap: int) -> float:
    here = left = right = similarity[gap]
    for index in range(gap - 1, -1, -1):
        if similarity[index] < left:
            break
        left = similarity[index]
    for index in range(gap + 1, len(similarity)):
        if similarity[index] < right:
            break
        right = similarity[index]
    return float(left - here + right - here)


def centrality(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much each sentence has in common with the others, float32[sentences]."""
    total = len(matrix)
    if total > MAX_CENTRAL:  # the graph would take too much memory: compare with the mean instead
        mean = matrix.mean(0)
        return np.asarray(matrix @ mean, np.float32)
    weights = matrix @ matrix.T
    np.fill_diagonal(weights, 0)
    sums = weights.sum(1, keepdims=True)
    transition = np.where(sums > 0, weights / np.where(sums > 0, sums, 1), 1 / total)
    rank: NDArray[np.floating] = np.full(total, 1 / total)
    for _ in range(ITERATIONS):
        rank = (1 - SMOOTHING) / total + SMOOTHING * transition.T @ rank
    return np.asarray(rank, np.float32)
