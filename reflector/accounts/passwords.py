"""Hash and verify passwords: PBKDF2-HMAC-SHA256, in the format of the reference.

 pbkdf2:sha256:ITERATIONS$SALT$DIGEST        salt and digest in hex

The salt is hashed as its hex text, as in the reference. docker-compose files write `$$` for `$`;
both forms are read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

ITERATIONS = 600_000  # OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256
MAX_ITERATIONS = 10_000_000
SALT_BYTES = 16
FORM = re.compile(r"pbkdf2:sha256:(\d{1,8})\$([0-9a-fA-F]+)\$([0-9a-fA-F]{64})")


def hash_password(password: str, iterations: int = ITERATIONS) -> str:
    salt = secrets.token_hex(SALT_BYTES)
    return f"pbkdf2:sha256:{iterations}${salt}${_digest(password, salt, iterations)}"


def normalised(hashed: str) -> str:
    return hashed.strip().replace("$$", "$")


def is_hash(hashed: str) -> bool:
    match = FORM.fullmatch(normalised(hashed))
    return match is not None and 0 < int(match[1]) <= MAX_ITERATIONS


def verify_password(password: str, hashed: str | None) -> bool:
    """Return whether `password` has the hash `hashed`.

    Without a hash, the usual work is done all the same: the response time must not tell whether the
    account exists.
    """
    match = FORM.fullmatch(normalised(hashed)) if hashed and is_hash(hashed) else None
    if match is None:
        _digest(password, "0" * 2 * SALT_BYTES, ITERATIONS)
        return False
    iterations, salt, digest = int(match[1]), match[2], match[3].lower()
    same = hmac.compare_digest(_digest(password, salt, iterations), digest)
    if iterations < ITERATIONS:
        # An old hash with fewer iterations must take as long as a new one or an unknown account
        _digest(password, salt, ITERATIONS - iterations)
    return same


def _digest(password: str, salt: str, iterations: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations).hex()
