"""Fit prompts into the context window: count generously, split between lines, never cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from string import ascii_letters

ASCII_LETTERS = ascii_letters + " "

# Tokens that a character may cost, by its kind. English has 4.2 letters a token in current
# vocabularies, German 3.6. A lower figure overestimates, which costs an extra call but never loses
# a sentence. A digit or a sign may be a token of its own. Scripts that a vocabulary hardly knows
# fall back to bytes (byte-level BPE, byte fallback of SentencePiece): Hebrew, Greek, Georgian,
# Amharic, Armenian.
ASCII_LETTER, ASCII_OTHER, CYRILLIC, IDEOGRAPH = 0.4, 1.0, 1.0, 2.0
# A schema that is sent as text
SCHEMA_TOKENS = 500
ANSWER_TOKENS = 1200
MESSAGE_TOKENS = 16


def count_tokens(text: str) -> int:
    """Return an upper estimate of the tokens of `text`."""
    letters = sum(map(text.count, ASCII_LETTERS))
    plain = sum(1 for character in text if character < "\x80")
    total = letters * ASCII_LETTER + (plain - letters) * ASCII_OTHER
    if plain < len(text):
        total += sum(_cost(character) for character in text if character >= "\x80")
    return math.ceil(total)


def _cost(character: str) -> float:
    code = ord(character)
    if 0x400 <= code < 0x530:
        return CYRILLIC
    if 0x3040 <= code < 0x3100 or 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0:
        return IDEOGRAPH  # kana, Chinese characters, Hangul
    return float(len(character.encode("utf-8", "replace")))


def room_for_text(window: int, instructions: str) -> int:
    """Return the tokens left for the text of a prompt, after its instructions and the answer."""
    answer = min(ANSWER_TOKENS, window // 3)
    schema = min(SCHEMA_TOKENS, window // 8)
    return window - answer - schema - count_tokens(instructions) - 2 * MESSAGE_TOKENS


def pack(lines: Iterable[str], tokens: int) -> list[list[str]]:
    """Group consecutive lines into as few groups as fit; split a line that is too long."""
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
