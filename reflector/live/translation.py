"""Translate the lines of a live text, beside the recogniser: a slow translator delays no words."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from reflector.errors import ReflectorError
from reflector.live.in_order import InOrder
from reflector.translation.translator import Translator, base_language

log = logging.getLogger(__name__)


class LineTranslator:
    """Translate lines into `target`, in their order, on a thread.

    `keep` gets the start of a line, its text and its translation; None if it is not translated.
    """

    def __init__(
        self,
        translator: Translator,
        target: str,
        keep: Callable[[float, str, str | None], None],
        stop: threading.Event,
    ) -> None:
        self._translator, self._target, self._keep = translator, target, keep
        self._has_failed = False
        self._lines = InOrder("live-translation", self._translate, stop)

    def put(self, start: float, text: str, source: str) -> None:
        """Translate a line in the language `source` when its turn comes."""
        self._lines.put((start, text, source))

    def complete(self) -> None:
        """Say that no line comes any more."""
        self._lines.complete()

    def _translate(self, line: tuple[float, str, str]) -> None:
        start, text, source = line
        self._keep(start, text, self._translated(text, source))

    def _translated(self, text: str, source: str) -> str | None:
        if base_language(source) == base_language(self._target):
            return None
        try:
            return self._translator.translate(text, source, self._target)
        except ReflectorError as error:
            if not self._has_failed:
                log.warning("the live text is not translated: %s", error)
            self._has_failed = True
            return None
