"""Is this a recording, and how long is it?

`open_media` is the only place that opens media to read. What may be opened is listed here, and a
recording can name nothing else: an upload is somebody else's file, and FFmpeg would follow a
playlist to any address or file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from av.error import FFmpegError

from reflector.errors import InvalidInput
from reflector.media.frames import Damage, is_usable, read_frames

NO_AUDIO = "File has no audio stream"
UNREADABLE = (
    "File cannot be read as audio or video: it is damaged, cut short or of an unknown kind. "
    "Use mp3, mp4, m4a, wav, webm, ogg, opus, flac, aac, mkv or mov."
)
# Each reads the one file that it is given. Playlists (hls, dash, concat), descriptions of network
# streams (sdp, rtsp) and generators (lavfi) are not among them, and never may be.
DEMUXERS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "eac3", "flac", "flv",
    "matroska", "mov", "mp3", "mpeg", "mpegts", "ogg", "tta", "w64", "wav", "wv",
)  # fmt: skip
# Whose length FFmpeg guesses from bit rate and size
ESTIMATED = {"aac", "ac3", "amr", "eac3", "mp3", "mpeg", "mpegts"}
OPTIONS = {
    "format_whitelist": ",".join(DEMUXERS),
    # The source is read through Python; no protocol of FFmpeg's own is ever needed
    "protocol_whitelist": "none",
}


@dataclass(frozen=True)
class MediaInfo:
    """`duration` in seconds, None where only decoding can tell; a guess where `is_estimated`. The
    rest is of the first track that has sound in it."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: float | None
    is_estimated: bool = False


class _Nameless:
    """Hides a file's name: FFmpeg guesses the kind of a file from it, and a recording must be taken
    for the same when it is checked and when it is worked on."""

    def __init__(self, source: BinaryIO) -> None:
        self.read, self.seek, self.tell = source.read, source.seek, source.tell


@contextmanager
def open_media(source: BinaryIO) -> Iterator[tuple[Any, list[Any]]]:
    """The container and its audio streams, one at least; InvalidInput where there is none."""
    if not source.seek(0, os.SEEK_END):
        raise InvalidInput("File is empty")
    source.seek(0)
    try:
        container = av.open(_Nameless(source), "r", options=OPTIONS, metadata_errors="replace")
    except (FFmpegError, ValueError, EOFError) as error:
        raise InvalidInput(UNREADABLE) from error
    with container:
        if not container.streams.audio:
            raise InvalidInput(NO_AUDIO)
        streams = [stream for stream in container.streams.audio if is_usable(stream.codec_context)]
        if not streams:
            context = container.streams.audio[0].codec_context
            raise InvalidInput(
                f"File has {context.channels} channels at {context.sample_rate} Hz, which is no "
                "recording of speech. Convert it to 16,000 Hz."
            )
        yield container, streams


def probe(source: BinaryIO) -> MediaInfo:
    """Read the header and the first sound; InvalidInput says what is wrong with the file."""
    damage = Damage()
    with open_media(source) as (container, streams):
        stream, frame = next(read_frames(container, streams, damage), (None, None))
        if stream is None or frame is None:
            raise InvalidInput(UNREADABLE if damage.packets else NO_AUDIO)
        duration = float(container.duration / av.time_base) if container.duration else None
        return MediaInfo(
            container=container.format.name,
            codec=stream.codec_context.name,
            sample_rate=frame.sample_rate,
            channels=frame.layout.nb_channels,
            duration=duration,
            is_estimated=container.format.name in ESTIMATED,
        )
