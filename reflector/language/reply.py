"""Extract the JSON from a language model's reply."""

from __future__ import annotations

import json
from typing import Any

# Fields in which servers put a model's thoughts: Ollama, vLLM and others, OpenRouter
THOUGHTS = ("thinking", "reasoning_content", "reasoning")
_DECODER = json.JSONDecoder()


def reply_text(message: dict[str, Any]) -> str:
    """Return the text of a chat message.

    A thinking model may leave `content` empty and answer in its thoughts; then return those.
    """
    content = message.get("content")
    if isinstance(content, str) and content.strip():
        return content
    for name in THOUGHTS:
        thoughts = message.get(name)
        if isinstance(thoughts, str) and thoughts.strip():
            return thoughts
    return ""


def json_part(reply: str) -> str:
    """Return the longest JSON object after a model's thoughts, without prose or fences around it.

    Return the reply without its thoughts if it has no JSON object; a validator then says what is
    wrong.
    """
    _, _, said = reply.rpartition("</think>")
    found, start = "", said.find("{")
    while start >= 0:
        try:
            _, end = _DECODER.raw_decode(said, start)
        except ValueError:
            start = said.find("{", start + 1)
            continue
        if end - start > len(found):
            found = said[start:end]
        start = said.find("{", end)
    return found or said
