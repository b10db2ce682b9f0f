"""Playback audio with ranges, and the waveform."""

from __future__ import annotations

import re

from fastapi import APIRouter, HTTPException
from fastapi.requests import Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import select

from reflector.api import schemas
from reflector.api.deps import ServicesDep, find
from reflector.db.models import Event
from reflector.events.names import EventName
from reflector.pipeline.media_steps import audio_key

router = APIRouter(tags=["transcripts"])

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """`[start, end)` of a single byte range (RFC 9110, section 14.1), None if it cannot be met."""
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        length = int(last)
        return (max(0, size - length), size) if length else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


@router.head("/transcripts/{transcript_id}/audio/mp3", operation_id="transcript_head_audio_mp3")
@router.get("/transcripts/{transcript_id}/audio/mp3", operation_id="transcript_get_audio_mp3")
def transcript_get_audio_mp3(
    request: Request, services: ServicesDep, transcript_id: str
) -> Response:
    with services.db.read() as session:
        transcript = find(session, transcript_id)
        if transcript.audio_deleted:
            raise HTTPException(404, "Audio unavailable due to privacy settings")
    key = audio_key(transcript_id)
    size = services.storage.size(key)
    if size is None:
        raise HTTPException(404, "Audio not found")
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"inline; filename=recording_{transcript_id.partition('-')[0]}.mp3",
        "Content-Encoding": "identity",
        "Cache-Control": "private, no-cache",
    }
    status, start, end = 200, 0, size
    if wanted := request.headers.get("range"):
        found = parse_range(wanted, size)
        if found is None:
            return Response(
                status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"}
            )
        status, (start, end) = 206, found
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="audio/mpeg")
    body = services.storage.read_range(key, start, end)
    return StreamingResponse(body, status, headers, media_type="audio/mpeg")


@router.get("/transcripts/{transcript_id}/audio/waveform")
def transcript_get_audio_waveform(
    services: ServicesDep, transcript_id: str
) -> schemas.AudioWaveform:
    with services.db.read() as session:
        transcript = find(session, transcript_id)
        event = session.scalars(
            select(Event)
            .where(
                Event.transcript_id == transcript_id,
                Event.run == transcript.shown_run,
                Event.name == EventName.WAVEFORM,
            )
            .order_by(Event.id.desc())
            .limit(1)
        ).first()
    if event is None:
        raise HTTPException(404, "Audio not found")
    return schemas.AudioWaveform(data=event.data["waveform"])
