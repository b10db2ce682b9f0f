"""Stream a transcription as OpenAI's server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse

from reflector.errors import ReflectorError
from reflector.speech.engines import Phrase, Transcription
from reflector.speech_service import sse
from reflector.speech_service.limiter import Check, RequestLimiter
from reflector.speech_service.routes.forms import TranscriptionForm
from reflector.speech_service.routes.openai import usage
from reflector.speech_service.work import FAILED, SpeechWork, report_of
from reflector.transcript.words import plain_text


async def streamed(
    request: Request,
    limiter: RequestLimiter,
    work: SpeechWork,
    form: TranscriptionForm,
    held: AsyncExitStack,
) -> StreamingResponse:
    """Stream `transcript.text.delta` for each phrase, then `transcript.text.done` or `error`.

    This waits for the first phrase, so that an error before it is a response with its own status.
    The resources in `held` are released at the end of the stream.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def heard(phrase: Phrase) -> None:
        delta = {"type": "transcript.text.delta", "delta": phrase.text}
        loop.call_soon_threadsafe(found.put_nowait, delta)

    def transcribe(check: Check) -> Transcription:
        return work.transcribe(form.files[0].file, form.options, check, heard)

    working = asyncio.ensure_future(limiter.run(request, transcribe))
    working.add_done_callback(lambda _: found.put_nowait(None))
    first = await found.get()
    if first is None and working.exception() is not None:
        await working
    events = _events(first, found, working, held.pop_all())
    return StreamingResponse(events, media_type=sse.MEDIA_TYPE)


async def _events(
    first: dict[str, Any] | None,
    found: asyncio.Queue[dict[str, Any] | None],
    working: asyncio.Future[Transcription],
    held: AsyncExitStack,
) -> AsyncIterator[str]:
    try:
        event = first
        while event is not None:
            yield sse.event(event)
            event = await found.get()
        yield sse.event(_last(working))
        yield "data: [DONE]\n\n"
    finally:
        working.cancel()
        await held.aclose()


def _last(working: asyncio.Future[Transcription]) -> dict[str, Any]:
    error = working.exception()
    if error is None:
        result = working.result()
        return {
            "type": "transcript.text.done",
            "text": plain_text(result.words),
            "usage": usage(result),
            "report": report_of(result),
        }
    known = isinstance(error, ReflectorError)
    message = str(error) if known else FAILED
    return {"type": "error", "error": {"message": message, "type": "server_error"}}
