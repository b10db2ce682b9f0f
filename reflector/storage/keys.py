"""Name the objects of a transcript in the storage."""

from __future__ import annotations


def audio_key(transcript_id: str) -> str:
    """Return what the player plays."""
    return f"{transcript_id}/audio.mp3"


def upload_key(transcript_id: str, suffix: str) -> str:
    """Return the recording as it came; `suffix` with its dot, or empty."""
    return f"{transcript_id}/upload{suffix}"


def live_key(transcript_id: str) -> str:
    """Return the recording of a browser."""
    return f"{transcript_id}/live.ogg"
