"""Give each word its speaker, and store the words."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from reflector.db.models import Transcript
from reflector.db.words import store_words
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.pipeline.carry_over import is_corrected, with_corrections
from reflector.pipeline.context import Output, StepContext, digest_of
from reflector.pipeline.step import Queue, StepDefinition, StepName
from reflector.transcript.assembly import Turn, assign_speakers, numbered_by_appearance
from reflector.transcript.tracks import merged, with_own_speakers
from reflector.transcript.words import Word, from_rows, plain_text, unsure_rows, with_unsure


def depends(context: StepContext) -> list[Any]:
    """Return what people corrected in the words on show, which this run takes over."""
    if not _takes_over(context.transcript, context.run, context.names):
        return []
    shown = [[word.start, word.speaker] for word in context.shown_words]
    return [context.transcript.edits, sorted(context.names), digest_of(shown)]


def run(context: StepContext) -> Output:
    recognised = context.output(StepName.TRANSCRIBE)
    words = with_unsure(from_rows(recognised["words"]), recognised.get("unsure", []))
    found = context.outputs.get(StepName.DIARIZE, {})
    tracks = recognised.get("tracks", 1)
    assigned = _of_tracks(words, tracks, found) if tracks > 1 else _told_apart(words, found)
    assigned = numbered_by_appearance(assigned)
    if _takes_over(context.transcript, context.run, context.names):
        assigned = with_corrections(
            context.transcript, assigned, context.shown_words, context.names.keys()
        )
    return {"words": [word.row() for word in assigned], "unsure": unsure_rows(assigned)}


def _of_tracks(words: list[Word], tracks: int, found: Output) -> list[Word]:
    """Return the words of all tracks in order. Each has its number where a speaker would be."""
    told = found.get("tracks", [{}] * tracks)
    apart = [[w._replace(speaker=0) for w in words if w.speaker == n] for n in range(tracks)]
    spoken = [_told_apart(*track) for track in zip(apart, told, strict=True)]
    if found.get("speakers") == 1 and "tracks" not in found:  # as the owner wants it
        return merged(spoken)
    return merged(with_own_speakers(spoken))


def _told_apart(words: list[Word], found: Output) -> list[Word]:
    turns, overlapping = (
        [Turn(*row) for row in found.get(name, [])] for name in ("turns", "overlapping")
    )
    return assign_speakers(words, turns, overlapping)


def _takes_over(transcript: Transcript, run: int, named: Collection[int]) -> bool:
    """Return whether this run will replace words in which people named or corrected speakers."""
    replaces = transcript.shown_run is not None and transcript.shown_run != run
    return replaces and is_corrected(transcript, named)


def apply(
    context: StepContext, session: Session, transcript: Transcript, output: Output, events: Outbox
) -> None:
    words = from_rows(output["words"])
    unsure = output.get("unsure", context.output(StepName.TRANSCRIBE).get("unsure", []))
    store_words(session, transcript.id, context.run, words, unsure)
    text = plain_text(words)
    events.add(EventName.TRANSCRIPT, {"text": text, "translation": None})


STEP = StepDefinition(
    StepName.ASSEMBLE,
    Queue.DEFAULT,
    run,
    needs=(StepName.TRANSCRIBE,),
    after=(StepName.DIARIZE,),
    apply=apply,
    depends=depends,
)
