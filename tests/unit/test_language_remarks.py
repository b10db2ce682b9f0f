"""What a report says about languages that nobody chose."""

from __future__ import annotations

from reflector.speech.languages import Spoken, remarks

ENGLISH = [Spoken("en", 0.98)] * 6


def test_sure_language_needs_no_word() -> None:
    assert remarks("en", [("en", 0.97), ("cy", 0.02)], ENGLISH, without_words=2.0) == []


def test_close_decision_names_the_runners_up() -> None:
    (said,) = remarks("cy", [("cy", 0.41), ("en", 0.38), ("de", 0.11)], [], without_words=0.0)
    assert "cy (41%)" in said
    assert "en (38%), de (11%)" in said


def test_meeting_that_changes_its_language_is_told() -> None:
    """40 seconds of English and then French came out as English, and nobody was told."""
    spoken = [*ENGLISH, *[Spoken("fr", 0.9)] * 4]
    (said,) = remarks("en", [("en", 0.8)], spoken, without_words=0.0)
    assert "fr is spoken in about 40% of the recording" in said


def test_greeting_in_another_language_is_no_change() -> None:
    spoken = [*ENGLISH * 20, Spoken("fr", 0.9)]
    assert remarks("en", [("en", 0.9)], spoken, without_words=0.0) == []


def test_speech_that_gives_no_words_is_told() -> None:
    (said,) = remarks("en", [], ENGLISH, without_words=31.0)
    assert "31 s of speech gave no words" in said
