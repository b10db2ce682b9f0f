"""Is this a recording, and how long is it?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from av.error import FFmpegError

from reflector.errors import InvalidInput

NO_AUDIO = "File has no audio stream"
UNREADABLE = (
    "File cannot be read as audio or video: it is damaged, cut short or of an unknown kind. "
    "Use mp3, mp4, m4a, wav, webm, ogg, opus, flac, aac, mkv or mov."
)
# Demuxers that read other files or the network, or turn text into pictures: never for uploads.
FORBIDDEN = {"concat", "hls", "dash", "sdp", "rtsp", "tty", "image2", "lavfi", "ffmetadata"}


@dataclass(frozen=True)
class MediaInfo:
    """`duration` in seconds, None where only decoding can tell."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: float | None


@contextmanager
def open_media(source: BinaryIO) -> Iterator[tuple[Any, Any]]:
    """The container and its first audio stream; InvalidInput where there is none."""
    if not source.seek(0, os.SEEK_END):
        raise InvalidInput("File is empty")
    source.seek(0)
    try:
        container = av.open(source, mode="r", metadata_errors="replace")
    except (FFmpegError, ValueError, EOFError) as error:
        raise InvalidInput(UNREADABLE) from error
    with container:
        if FORBIDDEN & set(container.format.name.split(",")):
            raise InvalidInput(UNREADABLE)
        if not container.streams.audio:
            raise InvalidInput(NO_AUDIO)
        yield container, container.streams.audio[0]


def probe(source: BinaryIO) -> MediaInfo:
    """Read the header and the first sound; InvalidInput says what is wrong with the file."""
    with open_media(source) as (container, stream):
        try:
            frame = next(container.decode(stream), None)
        except (FFmpegError, ValueError) as error:
            raise InvalidInput(UNREADABLE) from error
        if frame is None:
            raise InvalidInput(NO_AUDIO)
        duration = float(container.duration / av.time_base) if container.duration else None
        return MediaInfo(
            container=container.format.name,
            codec=stream.codec_context.name,
            sample_rate=frame.sample_rate,
            channels=frame.layout.nb_channels,
            duration=duration,
        )
