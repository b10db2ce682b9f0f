"""Serve `/diarize`: who speaks when."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import UploadFile

from reflector.errors import InvalidInput
from reflector.speech.engines import Diarization, DiarizeOptions
from reflector.speech_service.answers import diarization
from reflector.speech_service.fetch import fetched, refuse_foreign
from reflector.speech_service.limiter import Check
from reflector.speech_service.routes.deps import LimiterDep, WorkDep, require_key
from reflector.speech_service.routes.forms import MAX_SPEAKERS

router = APIRouter(dependencies=[Depends(require_key)])

Speakers = Annotated[int | None, Query(ge=1, le=MAX_SPEAKERS)]


@router.post("/diarize")
async def diarize(
    request: Request,
    work: WorkDep,
    limiter: LimiterDep,
    audio_file_url: str | None = None,
    timestamp: Annotated[float, Query(allow_inf_nan=False)] = 0.0,
    min_speakers: Speakers = None,
    max_speakers: Speakers = None,
    voices: bool = False,
    overlap: bool = False,
) -> dict[str, Any]:
    """Diarize the recording at `audio_file_url`.

    Extra: a recording in the form's field `file`; the number of speakers to expect; with `voices`,
    the embedding of each speaker; with `overlap`, the turns of those who speak while others do.
    """
    if min_speakers and max_speakers and min_speakers > max_speakers:
        raise InvalidInput("min_speakers cannot be above max_speakers.")
    options = DiarizeOptions(min_speakers, max_speakers)
    if audio_file_url is not None:
        url = audio_file_url
        refuse_foreign(work.settings, url)

        def from_url(check: Check) -> Diarization:
            with fetched(work.settings, url, check) as file:
                return work.diarize(file, options, check)

        async with limiter.slot():
            found = await limiter.run(request, from_url)
        return diarization(found, timestamp, voices=voices, overlap=overlap)
    async with limiter.slot(), request.form(max_files=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput("Either audio_file_url or a form with a file is required.")
        source = file.file
        found = await limiter.run(request, lambda check: work.diarize(source, options, check))
    return diarization(found, timestamp, voices=voices, overlap=overlap)
