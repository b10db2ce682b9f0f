"""The one-time code that the console shows: whoever has it stands before the machine."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from threading import Lock

# Without those that are taken for each other
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 8
TRIES = 5


class Code:
    """`changed`: called with each new one. After five wrong ones another counts."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed, self._lock = changed, Lock()
        self._renew()

    @property
    def shown(self) -> str:
        return f"{self._code[:4]}-{self._code[4:]}"

    def is_right(self, said: str) -> bool:
        plain = said.upper().replace("-", "").replace(" ", "")
        with self._lock:
            if hmac.compare_digest(plain.encode(), self._code.encode()):
                return True
            self._left -= 1
            if self._left == 0:
                self._renew()
        return False

    def _renew(self) -> None:
        self._code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        self._left = TRIES
        self._changed(self.shown)
