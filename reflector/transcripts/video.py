"""Tell whether a recording may have pictures that browsers show."""

from __future__ import annotations

from pathlib import PurePath

from reflector.errors import N_

NO_VIDEO = N_("No video available")
# Whether there are pictures in it, and in a codec that it knows, the browser finds out. QuickTime
# files are shown as MP4, which grew out of them
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/mp4",
    ".webm": "video/webm",
    ".ogv": "video/ogg",
}


def video_type(upload_key: str | None) -> str | None:
    """Return the media type of an upload that may be a video, otherwise None."""
    return TYPES.get(PurePath(upload_key or "").suffix)
