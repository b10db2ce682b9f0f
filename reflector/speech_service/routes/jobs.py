"""Serve `/v1/jobs`: recordings that are too long for one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, cast
from uuid import uuid4

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from reflector.errors import InvalidInput, NotFound
from reflector.speech.engines import DiarizeOptions
from reflector.speech_service import sse
from reflector.speech_service.jobs import Job, JobKind, Jobs
from reflector.speech_service.limiter import RequestLimiter
from reflector.speech_service.routes.deps import LimiterDep, require_key
from reflector.speech_service.routes.forms import MAX_SPEAKERS, read_form

router = APIRouter(prefix="/v1/jobs", dependencies=[Depends(require_key)])

HEARTBEAT_SECONDS = 15.0
NAME = r"^[A-Za-z0-9_-]{8,80}$"

JobId = Annotated[str, Path(pattern=NAME)]


def _jobs(request: Request) -> Jobs:
    return cast(Jobs, request.app.state.jobs)


JobsDep = Annotated[Jobs, Depends(_jobs)]


@router.post("")
async def create_job(request: Request, jobs: JobsDep, limiter: LimiterDep) -> dict[str, Any]:
    """Accept a recording under a name that the service chooses."""
    return await _accept(request, jobs, limiter, uuid4().hex)


@router.put("/{job_id}")
async def put_job(
    request: Request, jobs: JobsDep, limiter: LimiterDep, job_id: JobId
) -> dict[str, Any]:
    """Accept a recording under the client's name for it; if that is known, return its job."""
    return await _accept(request, jobs, limiter, job_id)


async def _accept(
    request: Request, jobs: Jobs, limiter: RequestLimiter, job_id: str
) -> dict[str, Any]:
    async with limiter.slot(), request.form(max_files=1) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidInput("The form has no file in the field `file`.")
        kind = _kind(form)
        job = await run_in_threadpool(jobs.accept, job_id, kind, _options(form, kind), file.file)
    return job.view()


def _kind(form: FormData) -> JobKind:
    value = form.get("kind", JobKind.TRANSCRIPTION.value)
    try:
        return JobKind(str(value))
    except ValueError as error:
        known = " or ".join(kind.value for kind in JobKind)
        raise InvalidInput(f"kind has to be {known}.") from error


def _options(form: FormData, kind: JobKind) -> dict[str, Any]:
    if kind is JobKind.TRANSCRIPTION:
        return asdict(read_form(form).options)
    return asdict(DiarizeOptions(_number(form, "min_speakers"), _number(form, "max_speakers")))


def _number(form: FormData, name: str) -> int | None:
    value = form.get(name)
    if value is None or value == "":
        return None
    if not str(value).isdecimal() or not 1 <= int(str(value)) <= MAX_SPEAKERS:
        raise InvalidInput(f"{name} has to be a number between 1 and {MAX_SPEAKERS}.")
    return int(str(value))


@router.get("/{job_id}")
def get_job(jobs: JobsDep, job_id: JobId) -> dict[str, Any]:
    return _found(jobs, job_id).view()


@router.delete("/{job_id}")
def delete_job(jobs: JobsDep, job_id: JobId) -> dict[str, str]:
    """Cancel a job, or remove it after its result was fetched."""
    _found(jobs, job_id)
    jobs.remove(job_id)
    return {"status": "ok"}


def _found(jobs: Jobs, job_id: str) -> Job:
    job = jobs.find(job_id)
    if job is None:
        raise NotFound("Job not found")
    return job


@router.get("/{job_id}/events")
async def job_events(jobs: JobsDep, job_id: JobId) -> StreamingResponse:
    """Send server-sent events `progress` and `phrase`, then `ended` with the whole job."""
    job = await run_in_threadpool(_found, jobs, job_id)
    return StreamingResponse(_events(jobs, job), media_type=sse.MEDIA_TYPE)


async def _events(jobs: Jobs, job: Job) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def listener(event: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(waiting.put_nowait, event)

    jobs.listen(job, listener)
    try:
        if job.state.is_final:
            yield sse.event(job.view(), "ended")
            return
        while True:
            try:
                event = await asyncio.wait_for(waiting.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield sse.HEARTBEAT
                continue
            # Other listeners get the same dict, so it is copied
            data = {key: value for key, value in event.items() if key != "event"}
            yield sse.event(data, event["event"])
            if event["event"] == "ended":
                return
    finally:
        jobs.leave(job, listener)
