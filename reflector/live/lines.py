"""Split the words of a live text into lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reflector.transcript.words import Word, plain_text

# A line ends with a sentence or at a pause, if it is not too short, or when it is too long
SHORT_LINE, LONG_LINE = 20, 240


@dataclass(frozen=True)
class Line:
    """A sentence, or what was said up to a pause, in one track if there are two; times in seconds."""

    text: str
    start: float
    end: float
    track: str | None = None

    @property
    def words(self) -> list[Word]:
        """Its words, with about their times."""
        texts = self.text.split()
        each = (self.end - self.start) / max(1, len(texts))
        return [
            Word(f" {text}", self.start + each * at, self.start + each * (at + 1))
            for at, text in enumerate(texts)
        ]


@dataclass
class Lines:
    """Split final words into lines. `words` are those of the line that is not complete.

    `track_of` tells in which track is heard what is said from one second to another; None if that
    is not clear.
    """

    track_of: Callable[[float, float], str | None] = lambda start, end: None
    words: list[Word] = field(default_factory=list)
    track: str | None = None

    def add(self, words: list[Word], is_pause: bool) -> list[Line]:
        """Return the lines that are complete now."""
        found = []
        for word in words:
            track = self.track_of(word.start, word.end)
            if self.words and track and self.track and track != self.track:
                found.append(self._take())
            self.track = track or self.track
            self.words.append(word)
            length = len(plain_text(self.words))
            if (word.ends_sentence and length >= SHORT_LINE) or length >= LONG_LINE:
                found.append(self._take())
        if self.words and is_pause:
            found.append(self._take())
        return found

    def _take(self) -> Line:
        words, self.words = self.words, []
        start, end = round(words[0].start, 2), round(words[-1].end, 2)
        return Line(plain_text(words), start, end, self.track)
