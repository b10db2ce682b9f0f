"""Translate the lines of a live text, beside the recogniser: a slow translator delays no words."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from reflector.errors import ReflectorError
from reflector.translation.translator import Translator, base_language

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# The rest waits in the recogniser's thread
MOST_WAITING = 1000


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
        self._stop, self._complete = stop, threading.Event()
        self._waiting: queue.Queue[tuple[float, str, str]] = queue.Queue(MOST_WAITING)
        self._has_failed = False
        self._thread = threading.Thread(target=self._run, name="live-translation", daemon=True)
        self._thread.start()

    def put(self, start: float, text: str, source: str) -> None:
        """Translate a line in the language `source` when its turn comes."""
        self._waiting.put((start, text, source))

    def complete(self) -> None:
        """Say that no line comes any more: the thread ends after the last one."""
        self._complete.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                start, text, source = self._waiting.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self._complete.is_set():
                    return
                continue
            try:
                self._keep(start, text, self._translated(text, source))
            except Exception:
                log.exception("a line of a live text is not translated")

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
