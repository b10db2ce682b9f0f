"""Create and check the code that the console shows."""

from __future__ import annotations

import hmac
import math
import secrets
import time
from collections.abc import Callable
from threading import Lock

# Without letters and digits that people confuse
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 8
# How many wrong guesses cost nothing: people mistype
FREE_TRIES = 3
LONGEST_WAIT = 60.0
# The limit for all addresses together. There are 2⁴⁰ codes: at this rate, half of them take 3,000
# years.
GUESSES_PER_SECOND = 5
MAX_ADDRESSES = 1000


class Code:
    """A code that never changes, so that nobody can make the one on the screen useless by guessing.

    Each wrong guess doubles the time that its address has to wait, up to a minute. `shown_to` is
    called with the code as people type it. `clock` returns seconds.
    """

    def __init__(
        self, shown_to: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock, self._clock = Lock(), clock
        self._code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        self._wrong: dict[str, int] = {}
        self._free_at: dict[str, float] = {}
        self._next = self._second = 0.0
        self._in_second = 0
        shown_to(self.shown)

    @property
    def shown(self) -> str:
        return f"{self._code[:4]}-{self._code[4:]}"

    def wait_seconds(self, address: str) -> int:
        """Return the seconds that `address` has to wait until its next guess counts, or 0."""
        with self._lock:
            left = max(self._free_at.get(address, 0.0), self._next) - self._clock()
            return max(0, math.ceil(left))

    def is_right(self, said: str, address: str) -> bool:
        """Return whether `said` is the code; always False while `address` has to wait."""
        plain = said.upper().replace("-", "").replace(" ", "")
        with self._lock:
            now = self._clock()
            if now < max(self._free_at.get(address, 0.0), self._next):
                return False
            if hmac.compare_digest(plain.encode(), self._code.encode()):
                return True
            self._note_wrong(address, now)
        return False

    def _note_wrong(self, address: str, now: float) -> None:
        if len(self._wrong) >= MAX_ADDRESSES:
            self._wrong.clear()
            self._free_at.clear()
            self._next = now + LONGEST_WAIT  # an attack: so many people do not mistype
        wrong = self._wrong[address] = self._wrong.get(address, 0) + 1
        if wrong > FREE_TRIES:
            wait = min(2.0 ** (wrong - FREE_TRIES), LONGEST_WAIT)
            self._free_at[address] = now + wait
        if now - self._second >= 1.0:
            self._second, self._in_second = now, 0
        self._in_second += 1
        if self._in_second >= GUESSES_PER_SECOND:
            self._next = max(self._next, self._second + 1.0)
