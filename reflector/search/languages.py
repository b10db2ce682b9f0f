"""Split text into words and words into stems, by the text's language."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

from reflector.transcript.marks import MARKS

# Text search configurations of PostgreSQL 15 by ISO 639-1 code; each has a Snowball stemmer
CONFIGURATIONS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish",
    "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french", "de": "german",
    "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian",
    "nn": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
NO_STEMS = "simple"
# For these languages, PostgreSQL stems words in Latin letters as English
OTHER_SCRIPTS = {"arabic", "armenian", "greek", "hindi", "nepali", "russian", "serbian", "tamil",
                 "yiddish"}  # fmt: skip

# For these languages, PostgreSQL splits words at their marks (see `marks`), so they are stemmed
# here
STEMMED_HERE = {"hindi", "nepali", "tamil"}

NOT_A_WORD = re.compile(rf"(?:[^\w{MARKS}]|_)+")
# Vowel signs and accents that Arabic and Hebrew mostly omit, and joiners within words
LEFT_OUT = re.compile("[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640\u200c\u200d]")
# Scripts written without spaces: every character counts as a word, a sequence as a phrase
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
MARK = re.compile(f"[{MARKS}]")
DIGITS = str.maketrans("0123456789", "ghijklmnop")
_stemmers = threading.local()


def configuration(language: str | None) -> str:
    """Return the text search configuration for an ISO code such as `en` or `de-AT`."""
    return CONFIGURATIONS.get((language or "").lower().partition("-")[0], NO_STEMS)


def plain(text: str) -> str:
    """Return words in lower case with single spaces between them, in Unicode's form NFC."""
    whole = LEFT_OUT.sub("", normalised(text).lower())
    spaced = UNSPACED.sub(lambda match: f" {match[0]} ", whole)
    return NOT_A_WORD.sub(" ", spaced).strip()


def normalised(text: str) -> str:
    """Return the text in NFC, so that equal characters compare equal: é is one character."""
    return unicodedata.normalize("NFC", text)


def for_index(words: str) -> str:
    """Return `words` (see `plain`) in a form that both databases keep whole.

    They would split words at marks. So a mark becomes the letter U+A001 and its number in letters,
    which no other text contains.
    """
    return MARK.sub(lambda found: f"\ua001{ord(found[0]):x}".translate(DIGITS), words)


def stems(words: str, configuration: str) -> str:
    """Return `words` (see `plain`) reduced to their stems."""
    if configuration == NO_STEMS:
        return words
    return " ".join(_stem(word, configuration) for word in words.split())


@lru_cache(maxsize=50_000)
def _stem(word: str, configuration: str) -> str:
    if word[0].isdigit():
        return word
    name = "english" if configuration in OTHER_SCRIPTS and word.isascii() else configuration
    # A stemmer stores the word that it works on, so each thread has its own
    known = _stemmers.__dict__
    if name not in known:
        import snowballstemmer  # holds tables of all languages, which PostgreSQL does not need

        known[name] = snowballstemmer.stemmer(name)
    return str(known[name].stemWord(word))
