"""Decode the audio of a container, skipping what is damaged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from av.error import EOFError as EndOfFile
from av.error import FFmpegError

# Speech is recorded at 8,000 to 96,000 Hz. At a far lower rate, a few bytes are minutes of sound,
# and one frame takes hundreds of megabytes when it is resampled.
MIN_RATE, MAX_RATE = 4_000, 768_000
MAX_CHANNELS = 64
# A container that gives nothing but errors counts as ended
MAX_ERRORS_IN_A_ROW = 200


@dataclass
class Damage:
    """How many `packets` could not be decoded."""

    packets: int = 0


def is_usable(described: Any) -> bool:
    """Return whether rate and channels of a codec context or frame are plausible for a recording.

    A codec context that does not know them yet is usable: its frames are checked later.
    """
    channels = described.layout.nb_channels if described.layout else 0
    rate = described.sample_rate or MIN_RATE
    return MIN_RATE <= rate <= MAX_RATE and channels <= MAX_CHANNELS


def read_frames(
    container: Any, streams: Sequence[Any], damage: Damage
) -> Iterator[tuple[Any, Any]]:
    """Yield stream and frame of all that can be decoded, in the order of the container.

    Damaged packets are skipped and counted in `damage`.
    """
    errors = 0
    packets = container.demux(*streams)
    while errors < MAX_ERRORS_IN_A_ROW:
        try:
            packet = next(packets)
        except (StopIteration, EndOfFile):
            return
        except (FFmpegError, ValueError):
            damage.packets += 1
            errors += 1
            packets = container.demux(*streams)  # a generator that raised has ended
            continue
        try:
            frames = packet.decode()
        except (FFmpegError, ValueError):
            damage.packets += 1
            continue
        for frame in frames:
            if frame.samples and frame.sample_rate and is_usable(frame):
                errors = 0
                yield packet.stream, frame
            else:
                damage.packets += 1
