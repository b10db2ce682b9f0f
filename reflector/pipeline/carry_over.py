"""Carry corrections of speakers and words over to the words of a new run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reflector.db.models import Transcript
from reflector.transcript.corrections import Corrections, carried_over
from reflector.transcript.words import Word


def is_corrected(transcript: Transcript, named: Collection[int]) -> bool:
    """Return whether people named speakers, or corrected speakers or words."""
    return bool(named or Corrections.of(transcript.edits) != Corrections())


def with_corrections(
    transcript: Transcript, words: Sequence[Word], shown: Sequence[Word], named: Collection[int]
) -> list[Word]:
    """Return `words` with what people corrected or named in `shown`."""
    if not words or not shown:
        return list(words)
    return carried_over(words, shown, Corrections.of(transcript.edits), named)
