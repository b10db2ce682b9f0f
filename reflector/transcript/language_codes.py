"""Codes of the languages that speech is recognised in, and what others write for them."""

from __future__ import annotations

# The languages of Whisper large-v3 (openai/whisper, tokenizer.py); ISO 639 codes but for jw and yue
SPOKEN = frozenset(
    [
        "af",
        "am",
        "ar",
        "as",
        "az",
        "ba",
        "be",
        "bg",
        "bn",
        "bo",
        "br",
        "bs",
        "ca",
        "cs",
        "cy",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "eu",
        "fa",
        "fi",
        "fo",
        "fr",
        "gl",
        "gu",
        "ha",
        "haw",
        "he",
        "hi",
        "hr",
        "ht",
        "hu",
        "hy",
        "id",
        "is",
        "it",
        "ja",
        "jw",
        "ka",
        "kk",
        "km",
        "kn",
        "ko",
        "la",
        "lb",
        "ln",
        "lo",
        "lt",
        "lv",
        "mg",
        "mi",
        "mk",
        "ml",
        "mn",
        "mr",
        "ms",
        "mt",
        "my",
        "ne",
        "nl",
        "nn",
        "no",
        "oc",
        "pa",
        "pl",
        "ps",
        "pt",
        "ro",
        "ru",
        "sa",
        "sd",
        "si",
        "sk",
        "sl",
        "sn",
        "so",
        "sq",
        "sr",
        "su",
        "sv",
        "sw",
        "ta",
        "te",
        "tg",
        "th",
        "tk",
        "tl",
        "tr",
        "tt",
        "uk",
        "ur",
        "uz",
        "vi",
        "yi",
        "yo",
        "zh",
        "yue",
    ]
)
# Other codes for the same languages: former ones of ISO 639-1, macrolanguages and their members, and
# three letters where two are usual
ALIASES = {
    "iw": "he", "in": "id", "ji": "yi", "mo": "ro", "sh": "hr", "nb": "no", "nob": "no", "nno": "nn",
    "fil": "tl", "jv": "jw", "cmn": "zh", "zho": "zh", "arb": "ar", "pes": "fa", "prs": "fa",
    "swh": "sw", "zsm": "ms", "ekk": "et", "lvs": "lv", "als": "sq", "khk": "mn", "npi": "ne",
    "pnb": "pa", "uzn": "uz", "azj": "az", "ydd": "yi", "plt": "mg", "eng": "en",
    "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt",
    "nld": "nl", "dut": "nl", "rus": "ru", "pol": "pl", "jpn": "ja", "kor": "ko", "tur": "tr",
}  # fmt: skip
AUTOMATIC = {"", "auto"}


def spoken_language(code: str) -> str | None:
    """Return the recogniser's code for `code` in any usual writing; None where it knows none.

    `en_US`, `en-GB` and `EN` are `en`, `nb-NO` is `no`, `iw` is `he`.
    """
    parts = code.strip().lower().replace("_", "-").split("-")
    if parts[0] == "zh" and "yue" in parts:
        return "yue"
    base = ALIASES.get(parts[0], parts[0])
    return base if base in SPOKEN else None
