"""Prompts that fit: counted on the safe side, split between lines, never cut off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

# English has about 4.2 bytes a token in current vocabularies, German 3.6, Russian 4, Chinese 3.
# Less than the least of them counts too many tokens, which costs a call more and never a sentence.
BYTES_PER_TOKEN = 2.5
ANSWER_TOKENS = 1200
MESSAGE_TOKENS = 16


def count_tokens(text: str) -> int:
    """At least as many tokens as a model will count."""
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def room_for_text(window: int, instructions: str) -> int:
    """Tokens left for the text of a prompt, its instructions and the answer taken off."""
    answer = min(ANSWER_TOKENS, window // 3)
    return window - answer - count_tokens(instructions) - 2 * MESSAGE_TOKENS


def pack(lines: Iterable[str], tokens: int) -> list[list[str]]:
    """Consecutive lines in as few groups as fit; a line that is itself too long is split."""
    groups: list[list[str]] = []
    used = 0
    for line in lines:
        for piece in _pieces(line, tokens):
            cost = count_tokens(piece + "\n")
            if not groups or used + cost > tokens:
                groups.append([])
                used = 0
            groups[-1].append(piece)
            used += cost
    return groups


def _pieces(line: str, tokens: int) -> Sequence[str]:
    if count_tokens(line + "\n") <= tokens:
        return [line]
    pieces, current = [], ""
    for word in line.split(" "):
        longer = f"{current} {word}" if current else word
        if current and count_tokens(longer + "\n") > tokens:
            pieces.append(current)
            current = word
        else:
            current = longer
    return [*pieces, current]
