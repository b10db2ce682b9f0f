"""Analyse a meeting without a language model, by selecting its own sentences and phrases.

The result contains only what somebody said. It needs no model and little time. It helps to find
one's way in a meeting and is not a summary, so it is marked as extractive wherever it is shown.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reflector.language.lexical import boundaries, centrality, key_terms, terms, vectors
from reflector.language.llm import topic_count
from reflector.language.meeting import (
    ActionItems,
    Decision,
    Meeting,
    Method,
    NextStep,
    Progress,
    Summary,
    TopicDraft,
    clean_title,
    long_summary,
)
from reflector.transcript.formats import shown_name
from reflector.transcript.words import Word, plain_text

MAX_SENTENCE_CHARS = 400
MIN_TERMS = 2
MAX_ITEMS = 30
TITLE_TERMS = 3
MAX_TITLE_CHARS = 80
DAY = r"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|tonight|today)"
DECIDED = re.compile(r"\b(decided|decide|agreed|the decision is|we will go with|approved)\b", re.I)
TASK = re.compile(
    r"^(?P<who>I|we|you|\w+)\s+(will|must|has to|have to|is going to|am going to|need to)\s+(?P<verb>\w+)"
    r"|^(?P<please>please)\s+\w+|\bcan you (?P<request>\w+)",
    re.I,
)
DEADLINE = re.compile(
    rf"\b((by|before|until|on)\s+{DAY}|tomorrow|next (week|month|quarter|year))\b", re.I
)


@dataclass(frozen=True)
class Sentence:
    first: int
    last: int
    text: str
    speaker: int


def sentences(words: Sequence[Word]) -> list[Sentence]:
    """Split at sentence ends, at changes of speaker, and where a sentence gets too long."""
    result: list[Sentence] = []
    first, length = 0, 0
    for index, word in enumerate(words):
        length += len(word.text)
        last = index + 1 == len(words)
        turn = not last and words[index + 1].speaker != word.speaker
        if word.ends_sentence or turn or last or length > MAX_SENTENCE_CHARS:
            text = plain_text(words[first : index + 1])
            result.append(Sentence(first, index + 1, text, words[first].speaker))
            first, length = index + 1, 0
    return result


class ExtractiveAnalyst:
    """Implement `Analyst`."""

    method = Method.EXTRACTIVE
    name = "extractive 2"

    def topics(self, meeting: Meeting, progress: Progress) -> list[TopicDraft]:
        said = sentences(meeting.words)
        if not said:
            return []
        matrix = vectors([s.text for s in said], meeting.language)
        block = max(4, min(12, len(said) // 6))
        edges = [0, *boundaries(matrix, block, topic_count(meeting.minutes)), len(said)]
        parts = [said[begin:end] for begin, end in itertools.pairwise(edges)]
        counts = [_counted(part, meeting.language) for part in parts]
        drafts = []
        for index, part in enumerate(parts):
            key = _key_sentences(part, meeting.language, 2)
            title = ", ".join(key_terms(counts, index, TITLE_TERMS)) or key[0]
            drafts.append(TopicDraft(part[0].first, part[-1].last, _title(title), " ".join(key)))
            progress((index + 1) / len(parts))
        return drafts

    def title(self, meeting: Meeting, topics: Sequence[TopicDraft]) -> str:
        counted = _counted(sentences(meeting.words), meeting.language)
        terms_ = ", ".join(key_terms([counted], 0, TITLE_TERMS))
        return _title(terms_ or (topics[0].title if topics else "Recording"))

    def summary(
        self, meeting: Meeting, topics: Sequence[TopicDraft], instructions: str | None = None
    ) -> Summary:
        said = sentences(meeting.words)
        recap = " ".join(_key_sentences(said, meeting.language, 3))
        subjects = []
        for topic in topics:
            part = [s for s in said if topic.first <= s.first < topic.last]
            subjects.append((topic.title, " ".join(_key_sentences(part, meeting.language, 3))))
        return Summary(recap, long_summary(recap, subjects))

    def action_items(self, meeting: Meeting) -> ActionItems:
        """Return sentences with common phrases for decisions and tasks, in English only."""
        if not meeting.language.startswith("en"):
            return ActionItems()
        decisions, steps = [], []
        for sentence in sentences(meeting.words):
            speaker = shown_name(meeting.names, sentence.speaker)
            if DECIDED.search(sentence.text):
                decisions.append(Decision(decision=sentence.text, decided_by=speaker))
            elif (task := TASK.search(sentence.text)) and not sentence.text.endswith("?"):
                deadline = DEADLINE.search(sentence.text)
                steps.append(
                    NextStep(
                        task=sentence.text,
                        assigned_to=_owner(task, speaker),
                        deadline=deadline.group(0) if deadline else None,
                    )
                )
        return ActionItems(decisions=decisions[:MAX_ITEMS], next_steps=steps[:MAX_ITEMS])


def _counted(said: Sequence[Sentence], language: str) -> Counter[str]:
    return sum((terms(s.text, language) for s in said), Counter())


def _title(text: str) -> str:
    return clean_title(text[:MAX_TITLE_CHARS])


def _owner(task: re.Match[str], speaker: str) -> str | None:
    who = task.group("who")
    if who is None or who.lower() in {"we", "you"}:
        return None
    if who == "I":
        return speaker
    return who if who[:1].isupper() and who.lower() not in {"the", "this", "that", "it"} else None


def _key_sentences(said: Sequence[Sentence], language: str, count: int) -> list[str]:
    """Return the `count` most central sentences, in the order in which they were said."""
    telling = [s for s in said if len(terms(s.text, language)) >= MIN_TERMS] or list(said)
    scores = centrality(vectors([s.text for s in telling], language))
    chosen: list[Sentence] = []
    for index in scores.argsort()[::-1]:
        if telling[int(index)].text not in {s.text for s in chosen}:
            chosen.append(telling[int(index)])
        if len(chosen) == count:
            break
    return [s.text for s in sorted(chosen, key=lambda s: s.first)]
