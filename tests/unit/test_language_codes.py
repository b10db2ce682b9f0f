"""Every usual writing of a language is understood, and what is none is refused."""

from __future__ import annotations

import pytest

from reflector.transcript.language_codes import ALIASES, SPOKEN, spoken_language


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "en"), ("EN", "en"), ("en_US", "en"), ("en-GB", "en"), ("nb", "no"), ("nb-NO", "no"),
        ("nn", "nn"), ("iw", "he"), ("fil", "tl"), ("fil-PH", "tl"), ("zh-Hans-CN", "zh"),
        ("zh-yue", "yue"), ("cmn", "zh"), ("pt_BR", "pt"), ("jv", "jw"), ("eng", "en"),
        ("klingon", None), ("tlh", None), ("xx", None), ("", None), ("e n", None),
    ],
)  # fmt: skip
def test_code_is_understood_however_it_is_written(code: str, expected: str | None) -> None:
    assert spoken_language(code) == expected


def test_table_leads_to_languages_that_are_known() -> None:
    assert set(ALIASES.values()) <= SPOKEN
    assert not set(ALIASES) & SPOKEN


def test_whisper_knows_the_same_languages() -> None:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert set(_LANGUAGE_CODES) == SPOKEN
