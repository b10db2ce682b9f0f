"""Name the objects of a transcript in the storage."""

from __future__ import annotations


def audio_key(transcript_id: str) -> str:
    """Return the key of the audio that the player plays."""
    return f"{transcript_id}/audio.mp3"


def upload_key(transcript_id: str, suffix: str) -> str:
    """Return the key of an uploaded recording; `suffix` includes its dot, or is empty."""
    return f"{transcript_id}/upload{suffix}"


def live_key(transcript_id: str) -> str:
    """Return the key of a live recording."""
    return f"{transcript_id}/live.ogg"
