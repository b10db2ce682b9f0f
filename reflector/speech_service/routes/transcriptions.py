"""Serve `/v1/audio/…`, transcription for clients of both systems, and OpenAI's list of models."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from reflector.errors import NotFound
from reflector.speech.engines import (
    Task,
    TranscribeOptions,
    Transcription,
    chosen_language,
    shown_model,
)
from reflector.speech_service import answers
from reflector.speech_service.fetch import fetched, refuse_foreign
from reflector.speech_service.limiter import Check, RequestLimiter
from reflector.speech_service.routes import openai
from reflector.speech_service.routes.deps import LimiterDep, WorkDep, require_key
from reflector.speech_service.routes.forms import ResponseFormat, TranscriptionForm, read_form
from reflector.speech_service.routes.stream import streamed
from reflector.speech_service.work import SpeechWork

router = APIRouter(prefix="/v1", dependencies=[Depends(require_key)])

MAX_FILES = 100


@router.post("/audio/transcriptions")
async def create_transcription(request: Request, work: WorkDep, limiter: LimiterDep) -> Response:
    """Transcribe the recording of a form of either system; `forms.py` tells them apart."""
    return await _answer(request, work, limiter, Task.TRANSCRIBE)


@router.post("/audio/translations")
async def create_translation(request: Request, work: WorkDep, limiter: LimiterDep) -> Response:
    """Transcribe a recording and translate it to English."""
    return await _answer(request, work, limiter, Task.TRANSLATE)


async def _answer(
    request: Request, work: SpeechWork, limiter: RequestLimiter, task: Task
) -> Response:
    async with AsyncExitStack() as held:
        await held.enter_async_context(limiter.slot())
        form = read_form(await held.enter_async_context(request.form(max_files=MAX_FILES)), task)
        if form.format is None:
            return await _reference(request, work, limiter, form)
        if form.stream:
            # The stream continues after this function has returned, and takes over its files
            return await streamed(request, limiter, work, form, held)
        if form.format is ResponseFormat.DIARIZED_JSON:
            source = form.files[0].file
            found, turns = await limiter.run(
                request, lambda check: work.with_speakers(source, form.options, check)
            )
            return openai.transcription(form, found, turns)
        result = await limiter.run(request, lambda check: _one(work, form, form.files[0], check))
        return openai.transcription(form, result, None)


async def _reference(
    request: Request, work: SpeechWork, limiter: RequestLimiter, form: TranscriptionForm
) -> Response:
    results = []
    for file in form.files:
        result = await limiter.run(
            request,
            lambda check, file=file: _one(work, form, file, check),  # type: ignore[misc]
        )
        results.append({**answers.reference(result), "filename": f"{uuid4()}{_suffix(file)}"})
    return JSONResponse({"results": results} if form.several else results[0])


def _suffix(file: UploadFile) -> str:
    _, dot, suffix = (file.filename or "").rpartition(".")
    return f".{suffix.lower()}" if dot and suffix.isalnum() and len(suffix) <= 8 else ""


def _one(
    work: SpeechWork, form: TranscriptionForm, file: UploadFile, check: Check
) -> Transcription:
    return work.transcribe(file.file, form.options, check)


class FromUrl(BaseModel):
    audio_file_url: str
    model: str | None = None
    language: str = "en"
    timestamp_offset: Annotated[float, Field(allow_inf_nan=False)] = 0.0


@router.post("/audio/transcriptions-from-url")
async def create_transcription_from_url(
    request: Request, work: WorkDep, limiter: LimiterDep, body: FromUrl
) -> dict[str, Any]:
    """Transcribe a recording that this service fetches, as the reference does."""
    refuse_foreign(work.settings, body.audio_file_url)
    options = TranscribeOptions(language=chosen_language(body.language))

    def transcribe(check: Check) -> Transcription:
        with fetched(work.settings, body.audio_file_url, check) as file:
            return work.transcribe(file, options, check)

    async with limiter.slot():
        result = await limiter.run(request, transcribe)
    return answers.reference(result, body.timestamp_offset)


@router.get("/models")
def list_models(work: WorkDep) -> dict[str, Any]:
    return {"object": "list", "data": [_model(name) for name in _names(work)]}


@router.get("/models/{name:path}")
def get_model(work: WorkDep, name: str) -> dict[str, Any]:
    if name not in _names(work):
        raise NotFound(f"The model {name} is not served here.")
    return _model(name)


def _names(work: SpeechWork) -> list[str]:
    engines = work.engines
    names = [engines.transcriber.model_name]
    if engines.diarizer is not None:
        names.append(engines.diarizer.model_name)
    return [shown_model(name) for name in names]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "reflector"}
