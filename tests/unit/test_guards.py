"""Words made up by the recogniser."""

from __future__ import annotations

import pytest

from reflector.speech.guards import is_silence, looped_phrase


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ("thank you " * 6, "thank you"),
        ("so " * 12, "so"),
        ("and then we went on " * 4, "and then we went on"),
        ("It is fine. " * 5, "it is fine"),
    ],
)
def test_loop_is_found(said: str, phrase: str) -> None:
    found = looped_phrase(("well " + said + "bye").split())
    assert found is not None
    assert sorted(found.split()) == sorted(phrase.split())


@pytest.mark.parametrize(
    "said",
    [
        "no no no no we should not",
        "the budget and the plan and the team and the server",
        "yes yes thank you thank you bye bye",
        "",
    ],
)
def test_people_may_repeat_themselves(said: str) -> None:
    assert looped_phrase(said.split()) is None


def test_silence_needs_both_signs() -> None:
    assert is_silence(0.9, -1.5)
    assert not is_silence(0.9, -0.3)
    assert not is_silence(0.2, -1.5)
