"""Detect words that a recogniser made up."""

from __future__ import annotations

from collections.abc import Sequence

MAX_PHRASE = 8
MIN_REPEATS = 4
MIN_LOOP_WORDS = 8

# Whisper's own rule for "there was no speech" (openai/whisper, transcribe.py)
NO_SPEECH_PROBABILITY = 0.6
LOG_PROBABILITY = -1.0


def is_silence(no_speech_probability: float, mean_log_probability: float) -> bool:
    return no_speech_probability > NO_SPEECH_PROBABILITY and mean_log_probability < LOG_PROBABILITY


def looped_phrase(words: Sequence[str]) -> str | None:
    """Return a repeated phrase, if any: up to 8 words, at least four times and 8 words in a row.

    People do say "no no no". They do not say a sentence four times without another word.
    """
    tokens = [word.strip().lower().strip(".,!?…") for word in words]
    for size in range(1, MAX_PHRASE + 1):
        run = 0
        for index in range(size, len(tokens)):
            run = run + 1 if tokens[index] == tokens[index - size] else 0
            # A run of matches after the first `size` words means a loop of `run + size` words
            if run + size >= max(MIN_REPEATS * size, MIN_LOOP_WORDS):
                return " ".join(tokens[index - size + 1 : index + 1])
    return None
