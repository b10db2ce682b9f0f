"""The meeting that emulated machines get: the beginning of the sample, because a minute of speech takes several there."""

from __future__ import annotations

from pathlib import Path

from tests.boot.test_booted import plain
from tests.conftest import SAMPLE, reference
from tests.media_files import cut

# In a pause
SECONDS = 17.9


def beginning(folder: Path) -> Path:
    return cut(SAMPLE, folder / "beginning.wav", 0, SECONDS)


def spoken() -> list[str]:
    """Its words."""
    return plain(" ".join(word for word, _, end, _ in reference(SAMPLE).words if end <= SECONDS))
