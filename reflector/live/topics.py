"""Find the topics of a recording that runs, beside the recogniser."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from reflector.errors import ReflectorError
from reflector.language.meeting import Analyst, Meeting, TopicDraft
from reflector.live.in_order import InOrder
from reflector.transcript.words import Word

log = logging.getLogger(__name__)

# About two and a half minutes: less is hardly a topic
TOPIC_WORDS = 375
# A topic ends with a sentence, or here
MOST_WORDS = 450
LEAST_WORDS = 200


@dataclass
class LiveTopic:
    """A topic of what was said so far; times in seconds. The final text has its own ones."""

    title: str
    summary: str
    timestamp: float
    duration: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class TopicFinder:
    """Find topics in the words that are added, on a thread. `keep` gets each with its words.

    `words` were said before, and have no topic yet.
    """

    def __init__(
        self,
        analyst: Analyst,
        keep: Callable[[LiveTopic, Sequence[Word]], None],
        stop: threading.Event,
        words: Sequence[Word] = (),
    ) -> None:
        self._analyst, self._keep = analyst, keep
        self._words = list(words)
        self._has_failed = False
        self._parts = InOrder("live-topics", self._find, stop)

    def add(self, words: Sequence[Word], language: str) -> None:
        for word in words:
            self._words.append(word)
            count = len(self._words)
            if (count >= TOPIC_WORDS and word.ends_sentence) or count >= MOST_WORDS:
                self._parts.put(Meeting(self._words, {}, language))
                self._words = []

    def complete(self) -> None:
        """Say that no words come any more. The topics of the last ones come with the final text."""
        self._parts.complete()

    def _find(self, part: Meeting) -> None:
        try:
            drafts = self._parts.retried(lambda: self._analyst.topics(part, lambda _: None))
        except ReflectorError as error:
            if not self._has_failed:
                log.warning("the live text has no topics: %s", error)
            self._has_failed = True
            return
        self._has_failed = False
        for draft in _joined(drafts):
            words = part.words[draft.first : draft.last]
            start = words[0].start
            duration = round(words[-1].end - start, 2)
            topic = LiveTopic(draft.title, draft.summary, start, duration)
            self._parts.retried(partial(self._keep, topic, words))


def _joined(drafts: Sequence[TopicDraft]) -> list[TopicDraft]:
    """Return `drafts` with the short ones added to those before."""
    found: list[TopicDraft] = []
    for draft in drafts:
        if found and draft.last - draft.first < LEAST_WORDS:
            found[-1] = replace(found[-1], last=draft.last)
        else:
            found.append(draft)
    return found
