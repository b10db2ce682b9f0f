"""Prompts are counted on the safe side in every script."""

from __future__ import annotations

import pytest

from reflector.language.budget import count_tokens, room_for_text

# What byte-level vocabularies make of a script that they hardly know: a token for each byte
SCRIPTS = {
    "Hebrew": "שלום לכולם, היום נדבר על התקציב",
    "Greek": "Καλημέρα σε όλους, σήμερα μιλάμε",
    "Georgian": "გამარჯობა ყველას, დღეს ვისაუბრებთ",
    "Amharic": "ሰላም ለሁላችሁ ዛሬ ስለ በጀት እንነጋገራለን",
    "Armenian": "Բարև բոլորին, այսօր խոսում ենք",
    "Devanagari": "नमस्ते सबको, आज हम बजट पर बात करेंगे",
    "Thai": "สวัสดีทุกคน วันนี้เราคุยเรื่องงบประมาณ",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS)
def test_script_that_a_vocabulary_does_not_know_costs_its_bytes(text: str) -> None:
    letters = [character for character in text if character not in " ,"]
    assert count_tokens(text) >= sum(len(letter.encode()) for letter in letters)


@pytest.mark.parametrize("text", ["0123456789" * 10, "192.168.0.1:8080 ", "{[(<>)]}" * 5])
def test_digit_or_sign_may_be_a_token_of_its_own(text: str) -> None:
    assert count_tokens(text) >= len(text.replace(" ", ""))


def test_english_is_not_counted_many_times_over() -> None:
    """About 45 tokens in current vocabularies."""
    said = "And so my fellow Americans, ask not what your country can do for you. " * 3
    assert 45 <= count_tokens(said) <= 100


def test_schema_has_room_beside_the_text() -> None:
    assert room_for_text(8000, "") <= 8000 - 1200 - 500
    assert room_for_text(2048, "") > 1000
