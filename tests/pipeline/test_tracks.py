"""What is known of one track of a recording counts for the other one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reflector.pipeline.steps import assemble, diarize, transcribe
from reflector.speech.engines import (
    Diarization,
    DiarizeOptions,
    EngineReport,
    TranscribeOptions,
    Transcription,
)
from reflector.transcript.words import Word

REPORT = EngineReport("tiny", "cpu", "int8", 60.0, 1.0)


def recognised(language: str, seconds: float) -> Transcription:
    return Transcription([Word(f" {language}", 0.0, 1.0)], language, seconds, REPORT)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([("cy", 3.0), ("en", 600.0)], ["en", "en"]),
        ([("en", 600.0), ("ja", 1.0)], ["en", "en"]),
        ([("de", 300.0), ("en", 600.0)], ["de", "en"]),
        ([("en", 3.0), ("en", 600.0)], ["en", "en"]),
    ],
)
def test_track_in_which_little_is_said_has_the_language_of_the_other(
    found: list[tuple[str, float]], wanted: list[str]
) -> None:
    asked: list[str] = []

    def again(audio: str, options: TranscribeOptions, report: Any) -> Transcription:
        assert options.language
        asked.append(audio)
        return recognised(options.language, 1.0)

    speech = SimpleNamespace(transcriber=SimpleNamespace(transcribe=again))
    context: Any = SimpleNamespace(
        services=SimpleNamespace(speech=speech), tracks=lambda: ["microphone", "shared"]
    )
    results = transcribe._in_one_language(
        context, TranscribeOptions(), [recognised(*each) for each in found]
    )
    assert [result.language for result in results] == wanted
    assert len(asked) == sum(
        one[0] != language for one, language in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize(
    ("limits", "first", "in_first", "second"),
    [
        ((None, None), (None, None), 2, (None, None)),
        ((None, 4), (None, 3), 3, (None, 1)),
        ((None, 4), (None, 3), 1, (None, 3)),
        ((3, 3), (None, 2), 1, (2, 2)),
        ((3, 3), (None, 2), 2, (1, 1)),
        ((2, None), (None, None), 0, (1, None)),
        ((None, 2), (None, 1), 0, (None, 1)),
    ],
)
def test_limits_of_speakers_are_those_of_both_tracks_together(
    limits: tuple[int | None, int | None],
    first: tuple[int | None, int | None],
    in_first: int,
    second: tuple[int | None, int | None],
) -> None:
    options = DiarizeOptions(*limits)
    assert diarize._rest(options, []) == DiarizeOptions(*first)
    found = [Diarization([], in_first, REPORT)]
    assert diarize._rest(options, found) == DiarizeOptions(*second)


def test_word_too_short_to_diarize_is_not_that_of_the_other_track() -> None:
    words = [Word(" Okay.", 0.0, 0.3, 0), Word(" Hello", 1.0, 1.4, 1), Word(" all.", 1.5, 2.0, 1)]
    told = [{"turns": []}, {"turns": [[1.0, 2.0, 0]]}]
    found = assemble._of_tracks(words, 2, {"speakers": 1, "tracks": told})
    assert [word.speaker for word in found] == [0, 1, 1]
    found = assemble._of_tracks(words, 2, {"speakers": 1, "turns": []})
    assert {word.speaker for word in found} == {0}, "only one was wanted"
