"""Serve `/pad` and `/mixdown`: prepare the tracks of a meeting that a platform recorded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from reflector.errors import InvalidInput
from reflector.media.tracks import MP3_RATES, mix, pad
from reflector.runtime.settings import Settings
from reflector.speech_service.fetch import fetched, refuse_foreign, send
from reflector.speech_service.limiter import Check
from reflector.speech_service.routes.deps import LimiterDep, WorkDep, require_key
from reflector.speech_service.work import temporary_folder

router = APIRouter(dependencies=[Depends(require_key)])

MAX_TRACKS = 64
DEFAULT_RATE = 44_100

Offset = Annotated[float, Field(ge=0, le=18_000, allow_inf_nan=False)]


class PadRequest(BaseModel):
    track_url: str
    output_url: str
    start_time_seconds: Offset
    track_index: int


class PadAnswer(BaseModel):
    """The result of `/pad`. `size` is in bytes."""

    size: int
    cancelled: bool = False


class MixdownRequest(BaseModel):
    track_urls: Annotated[list[str], Field(max_length=MAX_TRACKS)]
    output_url: str
    target_sample_rate: int | None = None
    offsets_seconds: list[Offset] | None = None


class MixdownAnswer(PadAnswer):
    duration_ms: float


@router.post("/pad")
async def pad_track(
    request: Request, work: WorkDep, limiter: LimiterDep, body: PadRequest
) -> PadAnswer:
    """Pad the track with silence at its start, and PUT it to `output_url` as WebM/Opus."""
    settings = work.settings
    for url in (body.track_url, body.output_url):
        refuse_foreign(settings, url)

    def padded(check: Check) -> PadAnswer:
        def make(target: Path) -> None:
            with fetched(settings, body.track_url, check) as file:
                pad(file, body.start_time_seconds, target, check)

        return PadAnswer(size=_put(settings, body.output_url, "audio/webm", make))

    async with limiter.slot():
        return await limiter.run(request, padded)


@router.post("/mixdown")
async def mixdown(
    request: Request, work: WorkDep, limiter: LimiterDep, body: MixdownRequest
) -> MixdownAnswer:
    """Mix the tracks to one MP3, and PUT it to `output_url`."""
    settings = work.settings
    offsets = body.offsets_seconds or [0.0] * len(body.track_urls)
    rate = body.target_sample_rate or DEFAULT_RATE
    if not body.track_urls:
        raise InvalidInput("track_urls is empty.")
    if len(offsets) != len(body.track_urls):
        raise InvalidInput("offsets_seconds has to have one offset for each of track_urls.")
    if rate not in MP3_RATES:
        known = ", ".join(str(each) for each in sorted(MP3_RATES))
        raise InvalidInput(f"target_sample_rate cannot be {rate}: use {known}.")
    for url in [*body.track_urls, body.output_url]:
        refuse_foreign(settings, url)

    def mixed(check: Check) -> MixdownAnswer:
        seconds = 0.0

        def make(target: Path) -> None:
            nonlocal seconds
            with ExitStack() as opened:
                files = [
                    opened.enter_context(fetched(settings, url, check)) for url in body.track_urls
                ]
                seconds = mix(list(zip(files, offsets, strict=True)), rate, target, check)

        size = _put(settings, body.output_url, "audio/mpeg", make)
        return MixdownAnswer(size=size, duration_ms=round(seconds * 1000, 1))

    async with limiter.slot():
        return await limiter.run(request, mixed)


def _put(settings: Settings, url: str, media_type: str, make: Callable[[Path], None]) -> int:
    """Send the file that `make` writes; return its size."""
    with temporary_folder(settings) as folder:
        target = folder / "track"
        make(target)
        send(settings, url, target, media_type)
        return target.stat().st_size
