"""Encode text for each family of translation models, and tell it the languages.

Marian has a model for each pair of languages. NLLB reads the source language before the text and
the target before the answer. MADLAD reads the target before the text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Protocol

import langcodes
from sentencepiece import SentencePieceProcessor

from reflector.errors import ModelUnavailable, UnknownLanguage

END = "</s>"
FLORES = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
MADLAD = re.compile(r"<2(\w+)>")
# CLDR's distance between languages that can replace each other: nb for no, but not da for no
NEAR = 9


class Family(Protocol):
    def pieces(self, text: str) -> list[str]: ...

    def source(self, pieces: list[str], source: str, target: str) -> list[str]:
        """Return the input of the encoder.

        Raises UnknownLanguage if the model does not support the language.
        """

    def prefix(self, target: str) -> list[str]:
        """Return what the answer begins with; may be empty."""

    def text(self, pieces: list[str]) -> str: ...


def open_family(folder: Path) -> Family:
    """Return the family of the files and the vocabulary in `folder`.

    Raises ModelUnavailable if it is not known.
    """
    if (folder / "source.spm").is_file() and (folder / "target.spm").is_file():
        return Marian(folder)
    vocabulary = _vocabulary(folder)
    file = next((folder / name for name in PIECES if (folder / name).is_file()), folder / PIECES[0])
    if any(FLORES.fullmatch(token) for token in vocabulary) and file.is_file():
        return Nllb(file, vocabulary)
    if any(MADLAD.fullmatch(token) for token in vocabulary) and file.is_file():
        return Madlad(file, vocabulary)
    raise ModelUnavailable(
        f"{folder} is no translation model that is known here.",
        "Give a Marian, NLLB or MADLAD model for CTranslate2, with its SentencePiece files.",
    )


PIECES = ("sentencepiece.bpe.model", "spiece.model", "sentencepiece.model")


class Marian:
    def __init__(self, folder: Path) -> None:
        self._source = _pieces(folder / "source.spm")
        self._target = _pieces(folder / "target.spm")

    def pieces(self, text: str) -> list[str]:
        return list(self._source.encode(text, out_type=str))

    def source(self, pieces: list[str], source: str, target: str) -> list[str]:
        return pieces

    def prefix(self, target: str) -> list[str]:
        return []

    def text(self, pieces: list[str]) -> str:
        return str(self._target.decode(pieces))


class Nllb:
    def __init__(self, file: Path, vocabulary: list[str]) -> None:
        self._pieces = _pieces(file)
        self._codes = {
            token.replace("_", "-"): token for token in vocabulary if FLORES.fullmatch(token)
        }

    def pieces(self, text: str) -> list[str]:
        return list(self._pieces.encode(text, out_type=str))

    def source(self, pieces: list[str], source: str, target: str) -> list[str]:
        return [self._token(source), *pieces]

    def prefix(self, target: str) -> list[str]:
        return [self._token(target)]

    def text(self, pieces: list[str]) -> str:
        return str(self._pieces.decode(pieces))

    def _token(self, language: str) -> str:
        return self._codes[_nearest(language, list(self._codes))]


class Madlad:
    def __init__(self, file: Path, vocabulary: list[str]) -> None:
        self._pieces = _pieces(file)
        matches = (MADLAD.fullmatch(token) for token in vocabulary)
        self._codes = {match[1].replace("_", "-"): match[0] for match in matches if match}

    def pieces(self, text: str) -> list[str]:
        return list(self._pieces.encode(text, out_type=str))

    def source(self, pieces: list[str], source: str, target: str) -> list[str]:
        return [self._codes[_nearest(target, list(self._codes))], *pieces]

    def prefix(self, target: str) -> list[str]:
        return []

    def text(self, pieces: list[str]) -> str:
        return str(self._pieces.decode(pieces))


def _nearest(language: str, known: list[str]) -> str:
    """Return the model's name of a language: `no` → `nob-Latn`, `zh` → `zho-Hans`.

    Raises UnknownLanguage if it has none.
    """
    found = langcodes.closest_supported_match(language, known, max_distance=NEAR)
    if found is None:
        raise UnknownLanguage(
            f"The translation model does not know the language {language}.",
            "Choose another language, or another model.",
        )
    return found


def _pieces(file: Path) -> SentencePieceProcessor:
    try:
        return SentencePieceProcessor(model_file=str(file))
    except (OSError, RuntimeError) as error:
        raise ModelUnavailable(
            f"{file} is no SentencePiece model.", "Import the model again."
        ) from error


def _vocabulary(folder: Path) -> list[str]:
    for name in ("shared_vocabulary", "source_vocabulary"):
        if (folder / f"{name}.json").is_file():
            return [str(token) for token in json.loads((folder / f"{name}.json").read_text())]
        if (folder / f"{name}.txt").is_file():
            return (folder / f"{name}.txt").read_text().splitlines()
    return []
