"""Combining marks: signs that make a word together with the letters before them.

Python's `\\w` leaves them out. In Devanagari and other Indic scripts they are the vowels: without
them one word is another.
"""

from __future__ import annotations

import unicodedata
from itertools import chain

# Where Unicode has marks: looking at all of it would cost every process a part of its start
_PLANES = chain(range(0x300, 0x20000), range(0xE0000, 0xE0200))
_CODES = [code for code in _PLANES if unicodedata.category(chr(code)).startswith("M")]
# For a character class of a regular expression
MARKS = "".join(map(chr, _CODES))
