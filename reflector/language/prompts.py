"""Define the prompts for the language model."""

from __future__ import annotations

_BASE = (
    "You work on the transcript of a meeting, made by speech recognition: expect words that were "
    "heard wrong. Use only what it says. Write in the language of the transcript. "
    "Answer with JSON of the given schema and nothing else.\n\n"
)

TOPIC = _BASE + (
    "The text is one stretch of the meeting. Give it a title of three to eight words that names "
    "its subject, and a summary of one to three sentences."
)
TITLE = _BASE + (
    "The text lists what the meeting was about, in order. Give the meeting one title of at most "
    "ten words that says what it was about as a whole."
)
SUMMARY = _BASE + (
    "Summarise the meeting. `recap`: one paragraph of at most four sentences for someone who was "
    "not there. `subjects`: the main subjects, at most {limit}, each with a short name and one "
    "paragraph that says what was said, by whom where that matters, and what came of it."
)
TEMPLATE = (
    "\n\nThe reader says what the summary should contain and how. Follow that for `recap` and for "
    "the names, order and number of `subjects`, where the transcript has something to say:\n"
)
CONDENSE = _BASE + (
    "The text is one part of a long meeting. Condense it to its facts, opinions, decisions and "
    "tasks, with names, numbers and dates, in at most 150 words."
)
ACTION_ITEMS = _BASE + (
    "List what was decided in the meeting, and the tasks that someone took on or was given. "
    "A decision is something that people agreed on, not a proposal. Leave a field null where the "
    "text does not say; leave a list empty where there is nothing."
)
TRANSLATE = (
    "Translate the text, which speech recognition made of spoken words, from the language {source} "
    "into the language {target} (codes of BCP 47). Keep its lines, names and numbers; add nothing. "
    "Answer with JSON of the given schema and nothing else."
)
EVERY_PROMPT = [TOPIC, TITLE, SUMMARY, CONDENSE, ACTION_ITEMS]
