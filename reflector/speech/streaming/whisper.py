"""Recognise live sound with the recogniser of files, over a window that grows until a pause."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.speech.engines import TranscribeOptions, Transcriber
from reflector.speech.scheduler import Priority
from reflector.speech.streaming.agreement import after, agreed
from reflector.speech.streaming.engine import LiveWords
from reflector.transcript.words import Word

# A speaker who says nothing for so long has finished what they said
PAUSE_SECONDS = 0.9
# Whisper hears 30 seconds at once
LONGEST_SECONDS = 28.0
# A window is cut after a sentence when it is longer than the first, after any final word when it
# is longer than the second
CUT_SECONDS, CUT_ANYWHERE_SECONDS = 8.0, 15.0
# The end of a window may be in the middle of a word
UNSURE_SECONDS = 1.5
# The beginning of a word that was not recognised yet
KEPT_SECONDS = 1.0
# Less sound than this is no word
SHORTEST_SECONDS = 0.3
REMEMBERED_WORDS = 20
# So many words in one window tell which language is spoken
LANGUAGE_WORDS = 8


class WhisperLive:
    """Implement `LiveTranscriber` with any `Transcriber`.

    While sound comes faster than it is recognised, windows are full and give final words only.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        options: TranscribeOptions,
        scratch: Path,
        start: float,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._transcriber = transcriber
        self._options = replace(options, priority=Priority.LIVE)
        self._scratch = scratch
        self._pause_seconds = pause_seconds
        self._samples = np.zeros(0, np.int16)
        self._start = start
        self._until = start
        self._final: list[Word] = []
        self._before: list[Word] = []
        # Words that are final, and not returned yet
        self._found: list[Word] = []

    def add(self, samples: NDArray[np.int16]) -> None:
        self._samples = np.concatenate([self._samples, samples])

    @property
    def language(self) -> str | None:
        return self._options.language

    @property
    def waiting(self) -> float:
        return max(0.0, self.heard - max(self._until, self._start))

    @property
    def heard(self) -> float:
        return self._start + len(self._samples) / SAMPLE_RATE

    def recognise(self, is_end: bool = False) -> LiveWords:
        while self.heard - self._start > LONGEST_SECONDS:
            self._found += self._full_window()
        if self.heard - self._start < SHORTEST_SECONDS:
            # What was partial has no sound left in which it could be heard again
            self._found += self._accept(self._before)
            self._before = []
            return LiveWords(self._take_found(), [], is_end)
        words = self._hear(self._samples)
        fresh = after(words, self._final, self._until)
        quiet = self.heard - (fresh[-1].end if fresh else self._until)
        is_pause = is_end or quiet >= self._pause_seconds
        count = len(fresh) if is_pause else agreed(self._before, fresh)
        self._found += self._accept(fresh[:count])
        self._before = fresh[count:]
        self._cut(is_pause)
        return LiveWords(self._take_found(), self._before, is_pause)

    def _take_found(self) -> list[Word]:
        found, self._found = self._found, []
        return found

    def _full_window(self) -> list[Word]:
        """Return the final words of a full window, and drop it."""
        window = self._samples[: int(LONGEST_SECONDS * SAMPLE_RATE)]
        end = self._start + LONGEST_SECONDS
        fresh = after(self._hear(window), self._final, self._until)
        sure = [word for word in fresh if word.end <= end - UNSURE_SECONDS]
        final = self._accept(sure or fresh)
        self._before = []
        self._drop_until(self._until if sure else end - KEPT_SECONDS)
        return final

    def _hear(self, window: NDArray[np.int16]) -> list[Word]:
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix="live-", suffix=".s16") as file:
            file.write(window.tobytes())
            file.flush()
            result = self._transcriber.transcribe(
                PcmAudio(Path(file.name)), self._options, lambda _: None
            )
        if self._options.language is None and len(result.words) >= LANGUAGE_WORDS:
            # Detecting it again in each window would take time, and change in the middle
            self._options = replace(self._options, language=result.language)
        return [
            word._replace(start=word.start + self._start, end=word.end + self._start)
            for word in result.words
        ]

    def _accept(self, words: list[Word]) -> list[Word]:
        if words:
            self._until = max(self._until, words[-1].end)
            self._final = [*self._final, *words][-REMEMBERED_WORDS:]
        return words

    def _cut(self, is_pause: bool) -> None:
        if is_pause:
            self._drop_until(max(self._until, self.heard - KEPT_SECONDS))
            return
        length = self.heard - self._start
        inside = [word for word in self._final if word.end > self._start]
        if length > CUT_ANYWHERE_SECONDS and inside:
            self._drop_until(self._until)
        elif length > CUT_SECONDS:
            ends = [word.end for word in inside if word.ends_sentence]
            if ends:
                self._drop_until(ends[-1])

    def _drop_until(self, second: float) -> None:
        count = max(0, int((second - self._start) * SAMPLE_RATE))
        self._samples = self._samples[count:]
        self._start += count / SAMPLE_RATE
