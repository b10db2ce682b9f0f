"""Check that a file is a recording, and read its length.

Only `open_media` opens media for reading. It opens only the formats listed here, and a recording
cannot refer to other files: an upload is untrusted, and FFmpeg would follow a playlist to any
address or file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import av
from av.error import FFmpegError

from reflector.errors import InvalidInput
from reflector.media.frames import Damage, is_usable, read_frames

NO_AUDIO = "File has no audio stream"
UNREADABLE = (
    "File cannot be read as audio or video: it is damaged, cut short or of an unknown kind. "
    "Use mp3, mp4, m4a, wav, webm, ogg, opus, flac, aac, mkv or mov."
)
# Each of these reads only the file that it is given. Never add playlists (hls, dash, concat),
# descriptions of network streams (sdp, rtsp) or generators (lavfi).
DEMUXERS = (
    "aac", "ac3", "aiff", "amr", "ape", "asf", "au", "avi", "caf", "eac3", "flac", "flv",
    "matroska", "mov", "mp3", "mpeg", "mpegts", "ogg", "tta", "w64", "wav", "wv",
)  # fmt: skip
# FFmpeg estimates their length from bit rate and size
ESTIMATED = {"aac", "ac3", "amr", "eac3", "mp3", "mpeg", "mpegts"}
OPTIONS = {
    "format_whitelist": ",".join(DEMUXERS),
    # The source is read through Python, so no protocol of FFmpeg is needed
    "protocol_whitelist": "none",
}

# Do not wait for seconds of sound before the first is given
FIRST_SOUND = {"probesize": "4096", "analyzeduration": "0", "fflags": "nobuffer"}


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class MediaInfo:
    """The format of a recording.

    `duration` is in seconds, None if only decoding can tell, and estimated if `is_estimated`. The
    other fields describe the first track with sound.
    """

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: float | None
    is_estimated: bool = False


class _Nameless:
    """Hide a file's name, from which FFmpeg would guess the format.

    A recording must be detected as the same format when it is checked and when it is processed.
    """

    def __init__(self, source: BinaryIO) -> None:
        self.read, self.seek, self.tell = source.read, source.seek, source.tell


def _opened(source: Any, options: dict[str, str]) -> Any:
    try:
        return av.open(source, "r", options=options, metadata_errors="replace")
    except (FFmpegError, ValueError, EOFError) as error:
        raise InvalidInput(UNREADABLE) from error


@contextmanager
def open_media(source: BinaryIO) -> Iterator[tuple[Any, list[Any]]]:
    """Yield the container and its audio streams, at least one.

    Raises InvalidInput if the file cannot be read or has no usable audio stream.
    """
    if not source.seek(0, os.SEEK_END):
        raise InvalidInput("File is empty")
    source.seek(0)
    with _opened(_Nameless(source), OPTIONS) as container:
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


@contextmanager
def open_growing(source: Readable) -> Iterator[tuple[Any, Any]]:
    """Yield the container and the first audio stream of a file that is still written.

    `source` is only read forward. Raises InvalidInput if it has no sound up to its end.
    """
    with _opened(source, OPTIONS | FIRST_SOUND) as container:
        streams = [stream for stream in container.streams.audio if is_usable(stream.codec_context)]
        if not streams:
            raise InvalidInput(NO_AUDIO)
        yield container, streams[0]


def probe(source: BinaryIO) -> MediaInfo:
    """Read the header and the first audio frame. Raises InvalidInput if the file is not usable."""
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
