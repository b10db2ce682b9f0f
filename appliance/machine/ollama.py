"""Ask Ollama for its models with its HTTP API (github.com/ollama/ollama/blob/main/docs/api.md)."""

from __future__ import annotations

import httpx2

ADDRESS = "http://127.0.0.1:11434"


def models(address: str = ADDRESS) -> frozenset[str]:
    """Return the names of the models, with tags; empty if Ollama does not answer."""
    try:
        answer = httpx2.get(f"{address}/api/tags", timeout=5).raise_for_status()
    except httpx2.HTTPError:
        return frozenset()
    names = {str(model["name"]) for model in answer.json()["models"]}
    return frozenset(names | {name.removesuffix(":latest") for name in names})
