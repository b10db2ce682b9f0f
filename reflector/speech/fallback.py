"""Find windows that the fast pass did badly, to decode them again more thoroughly.

The batched pass decodes each window once and without timestamps. On difficult speech, Whisper then
stops early, repeats itself, or guesses. Such windows are found by Whisper's own measures
(openai/whisper, transcribe.py) and by speech without words. They are decoded again with timestamps
and rising temperatures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reflector.speech import guards

# Whisper considers a decoding failed below −1.0. Above −0.5 the second decoding was no better in
# `make bench-accuracy`; in between it is used if its probability is higher.
MIN_LOG_PROBABILITY = -0.5
MAX_COMPRESSION_RATIO = 2.4
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Speech without a word in it, as the voice activity detector heard it
MAX_GAP_SECONDS, MAX_END_SECONDS = 3.0, 2.0


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a window's words. `missing` is the seconds of speech without a word."""

    is_looped: bool
    log_probability: float
    missing: float

    @property
    def is_unsure(self) -> bool:
        return self.log_probability < MIN_LOG_PROBABILITY

    @property
    def is_bad(self) -> bool:
        return self.is_looped or self.is_unsure or self.missing > 0

    @property
    def rank(self) -> tuple[bool, float, float]:
        """A sort key: less is better."""
        return self.is_looped, self.missing, -self.log_probability


def judge(segments: Sequence[dict[str, Any]], start: float, seconds: float) -> Verdict:
    """Judge the `segments` of a window that begins at `start`; times are in seconds."""
    words = [word for segment in segments for word in segment["words"]]
    texts = [str(word["word"]) for word in words]
    looped = guards.looped_phrase(texts) is not None or any(
        segment["compression_ratio"] > MAX_COMPRESSION_RATIO for segment in segments
    )
    return Verdict(
        is_looped=looped,
        log_probability=_mean_log_probability(segments),
        missing=_without_words(words, start, start + seconds),
    )


def _mean_log_probability(segments: Sequence[dict[str, Any]]) -> float:
    """Return the mean log probability of a token over all segments; 0 if there are none."""
    tokens = sum(len(segment["tokens"]) for segment in segments)
    total = sum(segment["avg_logprob"] * len(segment["tokens"]) for segment in segments)
    return float(total / tokens) if tokens else 0.0


def _without_words(words: Sequence[dict[str, Any]], start: float, end: float) -> float:
    return sum(last - first for first, last in _gaps(words, start, end))


def _gaps(words: Sequence[dict[str, Any]], start: float, end: float) -> list[tuple[float, float]]:
    """Return stretches without a word that are longer than a pause inside speech."""
    found, last = [], start
    for word in words:
        if word["start"] - last > MAX_GAP_SECONDS:
            found.append((last, float(word["start"])))
        last = max(last, float(word["end"]))
    if end - last > MAX_END_SECONDS:
        found.append((last, end))
    return found


def longest_gap(
    segments: Sequence[dict[str, Any]], start: float, seconds: float
) -> tuple[float, float] | None:
    """Return the longest stretch of speech without words in a window; None if there is none."""
    words = [word for segment in segments for word in segment["words"]]
    found = _gaps(words, start, start + seconds)
    return max(found, key=lambda gap: gap[1] - gap[0], default=None)


def better(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]], start: float,
           seconds: float) -> bool:  # fmt: skip
    """Return whether to use the second decoding of a window."""
    if not second:
        return judge(first, start, seconds).is_looped or not first
    return judge(second, start, seconds).rank < judge(first, start, seconds).rank
