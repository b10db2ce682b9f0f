"""Define combining marks, which form a word together with the letters before them.

Python's `\\w` does not match them. In Devanagari and other Indic scripts they are the vowels:
without them, one word becomes another.
"""

from __future__ import annotations

import unicodedata
from itertools import chain

# Ranges that contain marks: checking all of Unicode would slow the start of every process
_PLANES = chain(range(0x300, 0x20000), range(0xE0000, 0xE0200))
_CODES = [code for code in _PLANES if unicodedata.category(chr(code)).startswith("M")]
# For the character class of a regular expression
MARKS = "".join(map(chr, _CODES))
