"""Analyse meetings with a language model: one question per answer, each within its window."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from pydantic import Field

from reflector.errors import LanguageError
from reflector.language import prompts
from reflector.language.budget import pack, room_for_text
from reflector.language.client import LanguageModel
from reflector.language.meeting import (
    ActionItems,
    Answer,
    Line,
    Meeting,
    Method,
    Paragraph,
    Progress,
    Summary,
    TopicDraft,
    clean_title,
    long_summary,
)

# Formula of the reference: number and size of topics by the length of the meeting
TOPIC_FACTOR, TOPIC_POWER = 0.833, 0.723
MIN_TOPICS, MAX_TOPICS = 2, 50
MIN_TOPIC_WORDS, MAX_TOPIC_WORDS = 375, 1500
SUBJECT_MINUTES = [5, 15, 30, 45, 60]
CONDENSE_ROUNDS = 6
MOST_SUBJECTS = 8
# Part of the context window that a template leaves to the meeting
LEAST_ROOM = 0.2
TEMPLATE_TOO_LONG = (
    "The summary template is too long for the language model. Shorten it, or raise "
    "LLM_CONTEXT_WINDOW."
)


class TopicAnswer(Answer):
    title: Line = Field(min_length=3)
    summary: Paragraph = Field(min_length=3)


class TitleAnswer(Answer):
    title: Line = Field(min_length=3)


class Subject(Answer):
    name: Line = Field(min_length=1)
    paragraph: Paragraph = Field(min_length=1)


class SummaryAnswer(Answer):
    recap: Paragraph = Field(min_length=3)
    subjects: list[Subject] = Field(min_length=1, json_schema_extra={"maxItems": MOST_SUBJECTS})


class CondensedAnswer(Answer):
    text: Paragraph = Field(min_length=1)


class LLMAnalyst:
    """Implement `Analyst`."""

    method = Method.LLM

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.identity(prompts.EVERY_PROMPT)

    def topics(self, meeting: Meeting, progress: Progress) -> list[TopicDraft]:
        """Ask about each of several stretches of similar length, which end with a segment."""
        room = room_for_text(self._model.window, prompts.TOPIC)
        stretches = _stretches(meeting, room)
        if len(stretches) == 1:
            # A process waits for the threads of a pool before it exits, and not for its caller's
            return [self._topic(*stretches[0])]
        drafts: dict[int, TopicDraft] = {}
        with ThreadPoolExecutor(self._model.concurrency) as pool:
            asked = {
                pool.submit(self._topic, *stretch): index for index, stretch in enumerate(stretches)
            }
            for future in as_completed(asked):
                drafts[asked[future]] = future.result()
                progress(len(drafts) / len(stretches))
        return [drafts[index] for index in sorted(drafts)]

    def _topic(self, first: int, last: int, text: str) -> TopicDraft:
        answer = self._model.ask(prompts.TOPIC, text, TopicAnswer, 0.4)
        return TopicDraft(first, last, clean_title(answer.title), answer.summary)

    def title(self, meeting: Meeting, topics: Sequence[TopicDraft]) -> str:
        lines = [f"- {topic.title}" for topic in topics]
        text = self._fitting(lines, prompts.TITLE)
        return clean_title(self._model.ask(prompts.TITLE, text, TitleAnswer, 0.5).title)

    def summary(
        self, meeting: Meeting, topics: Sequence[TopicDraft], instructions: str | None = None
    ) -> Summary:
        by_length = 1 + sum(meeting.minutes >= minutes for minutes in SUBJECT_MINUTES)
        limit = MOST_SUBJECTS if instructions else by_length
        prompt = prompts.SUMMARY.format(limit=limit)
        if instructions:
            prompt += prompts.TEMPLATE + instructions
            if room_for_text(self._model.window, prompt) < self._model.window * LEAST_ROOM:
                raise LanguageError(TEMPLATE_TOO_LONG)
        text = self._fitting([meeting.line(s) for s in meeting.segments], prompt)
        answer = self._model.ask(prompt, text, SummaryAnswer, 0.4)
        subjects = [(subject.name, subject.paragraph) for subject in answer.subjects[:limit]]
        return Summary(answer.recap.strip(), long_summary(answer.recap, subjects))

    def action_items(self, meeting: Meeting) -> ActionItems:
        """Ask about each part that fits into the window; drop duplicate items."""
        room = room_for_text(self._model.window, prompts.ACTION_ITEMS)
        parts = pack([meeting.line(s) for s in meeting.segments], room)
        with ThreadPoolExecutor(self._model.concurrency) as pool:
            answers = list(
                pool.map(
                    lambda part: self._model.ask(
                        prompts.ACTION_ITEMS, "\n".join(part), ActionItems, 0.2
                    ),
                    parts,
                )
            )
        decisions = {item.decision.lower(): item for answer in answers for item in answer.decisions}
        steps = {item.task.lower(): item for answer in answers for item in answer.next_steps}
        return ActionItems(decisions=list(decisions.values()), next_steps=list(steps.values()))

    def _fitting(self, lines: Sequence[str], instructions: str) -> str:
        """Return all lines as one text that fits, condensing its parts as often as needed."""
        room = room_for_text(self._model.window, instructions)
        for _ in range(CONDENSE_ROUNDS):
            groups = pack(lines, room)
            if len(groups) <= 1:
                return "\n".join(groups[0]) if groups else ""
            parts = pack(lines, room_for_text(self._model.window, prompts.CONDENSE))
            with ThreadPoolExecutor(self._model.concurrency) as pool:
                lines = list(
                    pool.map(
                        lambda part: (
                            self._model.ask(
                                prompts.CONDENSE, "\n".join(part), CondensedAnswer, 0.2
                            ).text
                        ),
                        parts,
                    )
                )
        # If the model does not condense, take what fits of each part, in order, instead of only the
        # start
        share = room // max(1, len(lines))
        return "\n".join(pack([line], share)[0][0] for line in lines)


def topic_count(minutes: float) -> int:
    return int(min(MAX_TOPICS, max(MIN_TOPICS, round(TOPIC_FACTOR * minutes**TOPIC_POWER))))


def _stretches(meeting: Meeting, room: int) -> list[tuple[int, int, str]]:
    """Return (first word, last word, text) of each topic.

    Each is near the wanted size and within `room` tokens.
    """
    wanted = len(meeting.words) / topic_count(meeting.minutes)
    size = min(MAX_TOPIC_WORDS, max(MIN_TOPIC_WORDS, wanted))
    result: list[tuple[int, int, str]] = []
    first, lines = 0, list[str]()
    for (start, _), segment in zip(meeting.ranges, meeting.segments, strict=True):
        line = meeting.line(segment)
        if lines and (start - first >= size or len(pack([*lines, line], room)) > 1):
            result.append((first, start, "\n".join(lines)))
            first, lines = start, []
        lines.append(line)
    if lines:
        result.append((first, len(meeting.words), "\n".join(lines)))
    return result
