"""Work out how a recording is to be processed: as its owner chose, then as its tags say.

`Transcript.options` is `{"vocabulary": text, "min_speakers": n, "max_speakers": n,
"summary_template_id": id}`; each may be missing. Tags are those that the owner gave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reflector.db.models import SummaryTemplate, Tag, Transcript, TranscriptTag
from reflector.runtime.settings import Settings
from reflector.speech.engines import DiarizeOptions, TranscribeOptions, chosen_language

T = TypeVar("T")


@dataclass(frozen=True)
class ProcessingOptions:
    """How to process a recording.

    `language` is None to detect it. `vocabulary` has the most important words first, because the
    recogniser takes as many as it has room for. `speakers` is None for the limits of the server.
    """

    language: str | None = None
    vocabulary: str | None = None
    speakers: DiarizeOptions | None = None
    summary_template_id: str | None = None
    summary_instructions: str | None = None


def transcribe_options(options: ProcessingOptions, settings: Settings) -> TranscribeOptions:
    """Return how to recognise words: with the vocabulary of the recording, then the server's."""
    vocabulary = [options.vocabulary, settings.HOTWORDS]
    return TranscribeOptions(
        language=options.language,
        hotwords=", ".join(words for words in vocabulary if words) or None,
    )


def options_of(session: Session, transcript: Transcript) -> ProcessingOptions:
    """Return how to process `transcript`: its own options, and the defaults of its tags."""
    own = transcript.options or {}
    tags = _owners_tags(session, transcript)
    wanted = [own.get("summary_template_id"), *(tag.summary_template_id for tag in tags)]
    template = _first(_template(session, transcript, each) for each in wanted if each)
    languages = (chosen_language(each or None) for each in _languages(transcript, tags))
    limits = own.get("min_speakers"), own.get("max_speakers")
    return ProcessingOptions(
        language=_first(languages),
        vocabulary=_joined([own.get("vocabulary"), *(tag.vocabulary for tag in tags)]),
        speakers=DiarizeOptions(*limits) if any(limits) else None,
        summary_template_id=template.id if template else None,
        summary_instructions=template.instructions if template else None,
    )


def _languages(transcript: Transcript, tags: Iterable[Tag]) -> list[str | None]:
    return [transcript.source_language, *(tag.language for tag in tags)]


def _owners_tags(session: Session, transcript: Transcript) -> list[Tag]:
    return list(
        session.scalars(
            select(Tag)
            .join(TranscriptTag, TranscriptTag.tag_id == Tag.id)
            .where(TranscriptTag.transcript_id == transcript.id, Tag.user_id == transcript.user_id)
            .order_by(func.lower(Tag.name), Tag.id)
        )
    )


def _template(session: Session, transcript: Transcript, template_id: str) -> SummaryTemplate | None:
    """Return a template that the owner of `transcript` may use; None if it is gone."""
    template = session.get(SummaryTemplate, template_id)
    if template is None or not (template.is_for_all or template.user_id == transcript.user_id):
        return None
    return template


def _first(values: Iterable[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _joined(texts: Iterable[str | None]) -> str | None:
    """Join vocabularies, each word or name once."""
    words = [word.strip() for text in texts if text for word in text.replace("\n", ",").split(",")]
    return ", ".join(dict.fromkeys(word for word in words if word)) or None
