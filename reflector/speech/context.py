"""Fit hotwords and prompt into Whisper's context.

A window's text and its context share 448 tokens. faster-whisper lets hotwords and prompt take half
of that each, which leaves none for the text. Here both together get at most 224, as in OpenAI's
API.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reflector.speech.engines import TranscribeOptions

CONTEXT_TOKENS = 224
HOTWORD_TOKENS = 112


def fitting(
    options: TranscribeOptions, tokenizer: Any, warn: Callable[[str], None]
) -> TranscribeOptions:
    """Return `options` with the first hotwords and the end of the prompt that fit.

    `tokenizer` is one of the package tokenizers. `warn` gets a sentence if something is left out.
    """
    if not options.hotwords and not options.prompt:
        return options
    hotwords, used = _cut(tokenizer, options.hotwords or "", HOTWORD_TOKENS, keep_end=False)
    if hotwords != (options.hotwords or "").strip():
        warn("There are more hotwords than Whisper has room for; the last ones were left out.")
    prompt, _ = _cut(tokenizer, options.prompt or "", CONTEXT_TOKENS - used, keep_end=True)
    if prompt != (options.prompt or "").strip():
        warn("The prompt is longer than Whisper has room for; only its end was used.")
    return replace(options, hotwords=hotwords or None, prompt=prompt or None)


def _cut(tokenizer: Any, text: str, limit: int, *, keep_end: bool) -> tuple[str, int]:
    """Return as many whole words of `text` as fit, and the number of their tokens."""
    words = text.split()
    if (whole := _tokens(tokenizer, words)) <= limit:
        return text.strip(), whole
    low, high = 0, min(len(words), limit)  # each word is at least one token
    while low < high:
        middle = (low + high + 1) // 2
        if _tokens(tokenizer, _part(words, middle, keep_end)) <= limit:
            low = middle
        else:
            high = middle - 1
    kept = _part(words, low, keep_end)
    return " ".join(kept), _tokens(tokenizer, kept)


def _part(words: Sequence[str], count: int, keep_end: bool) -> Sequence[str]:
    return words[len(words) - count :] if keep_end else words[:count]


def _tokens(tokenizer: Any, words: Sequence[str]) -> int:
    return len(tokenizer.encode(" " + " ".join(words), add_special_tokens=False)) if words else 0
