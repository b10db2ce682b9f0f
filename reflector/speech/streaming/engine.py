"""Define the interface of live recognisers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reflector.transcript.words import Word


@dataclass(frozen=True)
class LiveWords:
    """What a pass has found; times are seconds of the recording.

    `final` are new words that do not change any more. `partial` are the words after them, as they
    look now. `is_pause` says that the speaker has paused after them.
    """

    final: list[Word] = field(default_factory=list)
    partial: list[Word] = field(default_factory=list)
    is_pause: bool = False


class LiveTranscriber(Protocol):
    """Recognise one recording as it comes. Used by one thread."""

    def add(self, samples: NDArray[np.int16]) -> None:
        """Take the next sound: int16[n], mono, 16 kHz."""

    def recognise(self, is_end: bool = False) -> LiveWords:
        """Recognise what was added; at the end, all words become final.

        Raises Unavailable or EngineError; nothing is lost then, and the call may be repeated.
        """

    @property
    def language(self) -> str | None:
        """The code of the language that is spoken; None while it is not known."""

    @property
    def heard(self) -> float:
        """The second of the recording up to which sound was added."""

    @property
    def waiting(self) -> float:
        """Seconds of sound for which there are no final words."""
