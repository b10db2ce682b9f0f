"""Splitting text into words, and words into stems, by the text's language."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

# Text search configurations of PostgreSQL 15 by ISO 639-1 code; each has a Snowball stemmer.
CONFIGURATIONS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish",
    "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french", "de": "german",
    "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian",
    "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
NO_STEMS = "simple"
# Of these PostgreSQL cuts down words in Latin letters as English ones
OTHER_SCRIPTS = {"arabic", "armenian", "greek", "hindi", "nepali", "russian", "serbian", "tamil",
                 "yiddish"}  # fmt: skip

NOT_A_WORD = re.compile(r"[\W_]+")
# Scripts written without spaces: every character is taken as a word, a run of them as a phrase
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_stemmers = threading.local()


def configuration(language: str | None) -> str:
    """The name of the rules for an ISO code such as `en` or `de-AT`."""
    return CONFIGURATIONS.get((language or "").lower().partition("-")[0], NO_STEMS)


def plain(text: str) -> str:
    """Words in lower case with single spaces between them, as both databases split them."""
    spaced = UNSPACED.sub(lambda match: f" {match[0]} ", text.lower())
    return NOT_A_WORD.sub(" ", spaced).strip()


def stems(words: str, configuration: str) -> str:
    """`words` (see `plain`) cut down to their stems."""
    if configuration == NO_STEMS:
        return words
    return " ".join(_stem(word, configuration) for word in words.split())


@lru_cache(maxsize=50_000)
def _stem(word: str, configuration: str) -> str:
    if word[0].isdigit():
        return word
    name = "english" if configuration in OTHER_SCRIPTS and word.isascii() else configuration
    # A stemmer holds the word that it works on, so each thread has its own
    known = _stemmers.__dict__
    if name not in known:
        import snowballstemmer  # tables of all languages; PostgreSQL does not need them

        known[name] = snowballstemmer.stemmer(name)
    return str(known[name].stemWord(word))
