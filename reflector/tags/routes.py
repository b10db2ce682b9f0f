"""Make tags, and give them to recordings. All routes are extra: the reference has no tags."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_authorized_transcript
from reflector.db.models import Tag, TranscriptTag
from reflector.http.deps import PublicCaller, ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.services import Services
from reflector.summary_templates import queries as summary_templates
from reflector.tags import queries, schemas

router = APIRouter(tags=["tags"])

MOST_AT_ONCE = 100


def _view(tag: Tag, transcripts: int) -> schemas.Tag:
    return schemas.Tag(
        id=tag.id,
        name=tag.name,
        colour=tag.colour,
        transcripts=transcripts,
        vocabulary=tag.vocabulary,
        language=tag.language,
        summary_template_id=tag.summary_template_id,
        retention_days=tag.retention_days,
    )


@contextmanager
def _tagging(
    services: Services, caller: Caller, transcript_id: str, tag_id: str
) -> Iterator[Session]:
    """Yield a session to write in, if `caller` may read the transcript and has the tag."""
    with services.db.write() as session:
        get_authorized_transcript(session, caller, transcript_id)
        queries.get(session, caller, tag_id)
        yield session


@router.get("/tags")
def tags_list(services: ServicesDep, caller: PublicCaller) -> list[schemas.Tag]:
    """Extra: list your tags."""
    with services.db.read() as session:
        return [_view(tag, count) for tag, count in queries.tags_of(session, caller)]


@router.post("/tags")
def tags_create(services: ServicesDep, caller: UserCaller, info: schemas.CreateTag) -> schemas.Tag:
    """Extra: make a tag."""
    with services.db.write() as session:
        summary_templates.check(session, caller, info.summary_template_id)
        return _view(queries.create(session, caller, **info.model_dump()), 0)


@router.get("/tags/of")
def tags_of_transcripts(
    services: ServicesDep,
    caller: PublicCaller,
    transcript: Annotated[list[str], Query(max_length=MOST_AT_ONCE)],
) -> dict[str, list[str]]:
    """Extra: get the ids of your tags for each of these transcripts."""
    with services.db.read() as session:
        return queries.of_transcripts(session, caller, transcript)


@router.patch("/tags/{tag_id}")
def tags_update(
    services: ServicesDep, caller: UserCaller, tag_id: str, info: schemas.UpdateTag
) -> StatusAnswer:
    """Extra: rename a tag, give it another colour, or other defaults for its recordings."""
    with services.db.write() as session:
        tag = queries.get(session, caller, tag_id)
        if info.name is not None:
            queries.check_name(session, caller, info.name, except_id=tag.id)
        summary_templates.check(session, caller, info.summary_template_id)
        for name, value in info.model_dump(exclude_unset=True).items():
            if value is not None or name in schemas.Defaults.model_fields:
                setattr(tag, name, value)
    return StatusAnswer()


@router.delete("/tags/{tag_id}")
def tags_delete(services: ServicesDep, caller: UserCaller, tag_id: str) -> StatusAnswer:
    """Extra: remove a tag, also from the recordings that have it. The recordings stay."""
    with services.db.write() as session:
        session.delete(queries.get(session, caller, tag_id))
    return StatusAnswer()


@router.put("/transcripts/{transcript_id}/tags/{tag_id}")
def transcript_add_tag(
    services: ServicesDep, caller: UserCaller, transcript_id: str, tag_id: str
) -> StatusAnswer:
    """Extra: give a tag of yours to a transcript that you may read."""
    with _tagging(services, caller, transcript_id, tag_id) as session:
        session.merge(TranscriptTag(transcript_id=transcript_id, tag_id=tag_id))
    return StatusAnswer()


@router.delete("/transcripts/{transcript_id}/tags/{tag_id}")
def transcript_remove_tag(
    services: ServicesDep, caller: UserCaller, transcript_id: str, tag_id: str
) -> StatusAnswer:
    """Extra: take a tag of yours from a transcript."""
    with _tagging(services, caller, transcript_id, tag_id) as session:
        given = session.get(TranscriptTag, (transcript_id, tag_id))
        if given is not None:
            session.delete(given)
    return StatusAnswer()
