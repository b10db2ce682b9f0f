"""Text in sentences, and sentences in parts: nothing lost, nothing cut inside a word."""

from __future__ import annotations

import pytest

from reflector.translation.sentences import fitting, sentences


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("No end", ["No end"]),
        ("One. Two!  Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("“Yes.” He went.", ["“Yes.”", "He went."]),
        ("It is 3.5 now.", ["It is 3.5 now."]),
        ("会议开始了。我们同意！好", ["会议开始了。", "我们同意！", "好"]),
        ("هل نبدأ؟ نعم.", ["هل نبدأ؟", "نعم."]),
    ],
)
def test_sentences(line: str, expected: list[str]) -> None:
    assert sentences(line) == expected


@pytest.mark.parametrize("limit", [1, 7, 20, 1000])
def test_parts_fit_and_make_the_whole(limit: int) -> None:
    text = "a sentence of several words that somebody said without a breath"
    parts = list(fitting(text, limit, len))
    assert " ".join(parts) == text
    assert all(len(part) <= limit or " " not in part for part in parts)
