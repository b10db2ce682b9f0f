"""Translation by CTranslate2: each family asked as it wants, and nothing of the text lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reflector.errors import ModelUnavailable, UnknownLanguage
from reflector.runtime.settings import Settings
from reflector.translation.ctranslate import MAX_PIECES, CTranslateTranslator
from tests.translation_model import madlad, marian, nllb

FRENCH = {
    "the": "la", "meeting": "réunion", "starts.": "commence.", "We": "Nous", "agree.": "acceptons.",
    "word": "mot", "last": "dernier",
}  # fmt: skip
SAID, TRANSLATED = "the meeting starts. We agree.", "la réunion commence. Nous acceptons."


@pytest.fixture
def translator(make_settings: Callable[..., Settings]) -> Callable[..., CTranslateTranslator]:
    # Of the models of these tests int8 leaves too little of long sentences
    return lambda **values: CTranslateTranslator(
        make_settings(SPEECH_COMPUTE_TYPE="float32", **values)
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def test_model_of_a_pair_is_found_by_its_name(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    marian(models / "Helsinki-NLP--opus-mt-en-fr", FRENCH)
    assert translator().translate(SAID, "en", "fr") == TRANSLATED
    assert translator().translate(SAID, "en-GB", "fr-CA") == TRANSLATED


def test_lines_stay_lines_and_empty_ones_too(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    marian(models / "opus-mt-en-fr", FRENCH)
    found = translator().translate("We agree.\n\n the meeting \n", "en", "fr")
    assert found == "Nous acceptons.\n\nla réunion\n"
    assert translator().translate("", "en", "fr") == ""


def test_sentence_longer_than_the_model_takes_loses_nothing(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    marian(models / "opus-mt-en-fr", FRENCH)
    count = 3 * MAX_PIECES
    found = translator().translate("word " * count + "last", "en", "fr")
    assert found == "mot " * count + "dernier"


def test_pair_without_a_model_goes_through_english(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    marian(
        models / "opus-mt-de-en", {"Wir": "We", "stimmen": "agree.", "zu.": ""} | {"zu.": "agree."}
    )
    marian(models / "opus-mt-en-fr", FRENCH)
    assert translator().translate("Wir stimmen", "de", "fr") == "Nous acceptons."


def test_pair_without_any_model_says_how_to_get_one(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    marian(models / "opus-mt-en-fr", FRENCH)
    with pytest.raises(ModelUnavailable, match="opus-mt-en-de") as refused:
        translator().translate(SAID, "en", "de")
    assert "from en to de" in str(refused.value)


def test_nllb_is_told_both_languages(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    nllb(models / "owner--nllb", FRENCH, ["eng_Latn", "fra_Latn", "nob_Latn"])
    chosen = translator(TRANSLATION_MODEL="owner/nllb")
    assert chosen.translate(SAID, "en", "fr") == TRANSLATED
    assert chosen.translate(SAID, "en", "no") == TRANSLATED  # Norwegian is its nob
    with pytest.raises(UnknownLanguage, match="the language ja"):
        chosen.translate(SAID, "en", "ja")
    with pytest.raises(UnknownLanguage, match="the language ja"):
        chosen.translate(SAID, "ja", "fr")


def test_madlad_is_told_the_target(
    models: Path, translator: Callable[..., CTranslateTranslator]
) -> None:
    madlad(models / "many", FRENCH, {"fr": "(fr)", "de": "(de)"})
    chosen = translator(TRANSLATION_MODEL="many")
    assert chosen.translate("We agree.", "en", "de") == "(de) Nous acceptons."
    assert chosen.translate("We agree.", "en", "fr-CA") == "(fr) Nous acceptons."


def test_model_that_is_named_and_not_there_is_said(
    translator: Callable[..., CTranslateTranslator],
) -> None:
    with pytest.raises(ModelUnavailable, match="reflector models pull owner/many"):
        translator(TRANSLATION_MODEL="owner/many").translate(SAID, "en", "fr")


@pytest.mark.parametrize("damaged", ["source.spm", "model.bin", "all pieces"])
def test_damaged_model_is_one_sentence(
    models: Path, translator: Callable[..., CTranslateTranslator], damaged: str
) -> None:
    folder = marian(models / "opus-mt-en-fr", FRENCH)
    if damaged == "all pieces":
        (folder / "source.spm").unlink()
    else:
        (folder / damaged).write_bytes(b"damaged")
    with pytest.raises(ModelUnavailable) as refused:
        translator().translate(SAID, "en", "fr")
    assert str(folder) in str(refused.value)
    assert "\n" not in str(refused.value)
