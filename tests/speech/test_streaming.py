"""Live words: final ones never change, silence gives none, and what comes too fast is caught up with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from reflector.errors import EngineError
from reflector.media.decode import SAMPLE_RATE, decode
from reflector.runtime.settings import Settings
from reflector.speech.engines import TranscribeOptions
from reflector.speech.streaming.agreement import after, agreed
from reflector.speech.streaming.whisper import LONGEST_SECONDS, WhisperLive
from reflector.speech.whisper import WhisperTranscriber
from reflector.transcript.words import Word, plain_text
from tests.conftest import SAMPLE, reference
from tests.pipeline.test_way_of_a_file import normalised

SECONDS = 30.0
WORD_ERRORS = 0.25


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.int16]:
    target = tmp_path_factory.mktemp("sound") / "sample.s16"
    with SAMPLE.open("rb") as file:
        decode(file, target)
    return np.fromfile(target, np.int16)


@pytest.fixture
def live(make_settings: Callable[..., Settings], tmp_path: Path) -> WhisperLive:
    transcriber = WhisperTranscriber(make_settings())
    return WhisperLive(transcriber, TranscribeOptions(language="en"), tmp_path, 0.0)


def said(start: float, end: float) -> str:
    return " ".join(word[0] for word in reference(SAMPLE).words if start <= word[1] < end)


def word_errors(found: list[Word], start: float, end: float) -> float:
    return float(jiwer.wer(normalised(said(start, end)), normalised(plain_text(found))))


def test_words_come_in_order_and_once(live: WhisperLive, speech: NDArray[np.int16]) -> None:
    final: list[Word] = []
    partial_passes = 0
    for start in range(0, int(SECONDS * SAMPLE_RATE), SAMPLE_RATE):
        live.add(speech[start : start + SAMPLE_RATE])
        found = live.recognise()
        final += found.final
        partial_passes += bool(found.partial)
    final += live.recognise(is_end=True).final
    assert [word.start for word in final] == sorted(word.start for word in final)
    assert partial_passes > 5
    assert word_errors(final, 0.0, SECONDS) < WORD_ERRORS, plain_text(final)
    assert abs(final[-1].end - SECONDS) < 2.0


def test_silence_gives_no_words_and_keeps_no_sound(live: WhisperLive) -> None:
    for _ in range(10):
        live.add(np.zeros(SAMPLE_RATE, np.int16))
        assert live.recognise().final == []
    assert live.waiting <= 1.0


def test_backlog_is_caught_up_with_in_one_call(
    live: WhisperLive, speech: NDArray[np.int16]
) -> None:
    seconds = 3 * LONGEST_SECONDS
    live.add(speech[: int(seconds * SAMPLE_RATE)])
    found = live.recognise()
    final = found.final + live.recognise(is_end=True).final
    assert word_errors(final, 0.0, seconds) < WORD_ERRORS, plain_text(final)


def test_times_are_those_of_the_recording_when_another_process_takes_over(
    live: WhisperLive, speech: NDArray[np.int16], tmp_path: Path
) -> None:
    begun = 20.0
    other = WhisperLive(live._transcriber, TranscribeOptions(language="en"), tmp_path, begun)
    other.add(speech[int(begun * SAMPLE_RATE) : int(30.0 * SAMPLE_RATE)])
    found = other.recognise(is_end=True).final
    assert begun <= found[0].start < begun + 2.0
    assert word_errors(found, begun, 30.0) < 0.4, plain_text(found)


def test_recogniser_that_fails_in_a_backlog_loses_no_words(
    live: WhisperLive, speech: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 2 * LONGEST_SECONDS
    live.add(speech[: int(seconds * SAMPLE_RATE)])
    hear, calls = live._hear, []

    def fails_later(window: NDArray[np.int16]) -> list[Word]:
        calls.append(len(window))
        if len(calls) == 2:
            raise EngineError("The speech service failed.")
        return hear(window)

    monkeypatch.setattr(live, "_hear", fails_later)
    with pytest.raises(EngineError):
        live.recognise()
    final = live.recognise(is_end=True).final
    assert word_errors(final, 0.0, seconds) < WORD_ERRORS, plain_text(final)


def words(text: str, start: float = 0.0) -> list[Word]:
    return [
        Word(f" {each}", start + 0.5 * at, start + 0.5 * at + 0.4)
        for at, each in enumerate(text.split())
    ]


def test_case_and_punctuation_are_no_disagreement() -> None:
    assert agreed(words("good morning every"), words("Good morning, everyone.")) == 2
    assert agreed(words("a"), []) == 0


def test_words_heard_again_after_a_cut_are_not_said_twice() -> None:
    final = words("we need the budget")
    # The recogniser puts the last word a little later this time
    again = words("budget for training", start=1.75)
    assert plain_text(after(again, final, until=final[-1].end)) == "for training"
    # Said again on purpose, at once or after a pause
    soon = words("budget for training", start=final[-1].end + 0.1)
    assert plain_text(after(soon, final, until=final[-1].end)) == "budget for training"
    later = words("budget for training", start=4.0)
    assert plain_text(after(later, final, until=final[-1].end)) == "budget for training"
