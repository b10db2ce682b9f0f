"""Refuse passwords that are short or easy to guess.

There are no rules about kinds of characters (NIST SP 800-63B, section 3.1.1.2). zxcvbn knows common
passwords and names, keyboard rows, dates, and variations of them (Wheeler, USENIX Security 2016).
"""

from __future__ import annotations

import re

MINIMUM = 8
# The work of PBKDF2 does not grow with the length, but that of a request does
MAXIMUM = 1024
# Score of zxcvbn, from 0 to 4; 2 means at least a million guesses
LEAST_SCORE = 2
# Only this many characters are rated: the time grows with the square of the length
LOOKED_AT = 72


def weakness(password: str, *about: str) -> str | None:
    """Return a sentence that says why `password` is refused; None if it is accepted.

    `about` is what others know about its owner, such as the e-mail address.
    """
    if len(password) < MINIMUM:
        return f"The password has {len(password)} characters, and {MINIMUM} are the least."
    if len(password) > MAXIMUM:
        return f"The password has {len(password)} characters, and {MAXIMUM} are the most."
    from zxcvbn import zxcvbn  # holds a megabyte of lists

    known = [part for text in about for part in [text, *re.split(r"\W+", text)] if part]
    if _is_made_of(password, known) or zxcvbn(password[:LOOKED_AT], known)["score"] < LEAST_SCORE:
        return "The password is easy to guess: it is common, or made of a name, a row of keys or a date."
    return None


def _is_made_of(password: str, known: list[str]) -> bool:
    """Return whether little is left of the password without what is known about its owner."""
    left = password.lower()
    for part in sorted((each.lower() for each in known if len(each) > 2), key=len, reverse=True):
        left = left.replace(part, "")
    return len(re.sub(r"[\W_]", "", left)) < MINIMUM // 2 < len(password) - len(left)
