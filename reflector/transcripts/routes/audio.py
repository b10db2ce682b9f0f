"""Serve playback audio with ranges, links to it, and the waveform."""

from __future__ import annotations

import re
from dataclasses import replace

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_audible_transcript, get_authorized_transcript
from reflector.accounts.tokens import AUDIO_SECONDS, InvalidToken
from reflector.db.models import Event, Transcript
from reflector.errors import NotFound, Unauthenticated
from reflector.events.names import EventName
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller
from reflector.services import Services
from reflector.storage.keys import audio_key
from reflector.transcripts import schemas

router = APIRouter(tags=["transcripts"])

RANGE = re.compile(r"bytes=(\d*)-(\d*)")
DIGITS = 18
BAD_TOKEN = "Invalid or expired token"  # noqa: S105 - a sentence


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return `[start, end)` of a single byte range; None if it cannot be satisfied.

    See RFC 9110, section 14.1.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", "") or any(len(g) > DIGITS for g in match.groups()):
        return None
    first, last = match.groups()
    if first == "":
        length = int(last)
        return (max(0, size - length), size) if length else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def _audible(
    services: Services, session: Session, caller: Caller, transcript_id: str, token: str | None
) -> Transcript:
    """Return the transcript whose audio the caller, or the token in the link, may open."""
    identity = services.identity
    if token and caller.is_anonymous:
        try:
            caller = Caller(identity.signer.read_audio_link(token, transcript_id))
        except InvalidToken:
            try:
                caller = identity.by_link_token(token)
            except Unauthenticated:
                raise Unauthenticated(BAD_TOKEN) from None
    return get_audible_transcript(session, caller, transcript_id, identity.policy)


@router.head("/transcripts/{transcript_id}/audio/mp3", operation_id="v1_transcript_head_audio_mp3")
@router.get("/transcripts/{transcript_id}/audio/mp3", operation_id="v1_transcript_get_audio_mp3")
def transcript_get_audio_mp3(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    transcript_id: str,
    token: str | None = None,
) -> Response:
    with services.db.read() as session:
        transcript = _audible(services, session, caller, transcript_id, token)
        if transcript.audio_deleted:
            raise NotFound("Audio unavailable due to privacy settings")
    key = audio_key(transcript_id)
    if (link := services.storage.link(key)) is not None:
        return RedirectResponse(link, 307, {"Cache-Control": "private, no-store"})
    size = services.storage.size(key)
    if size is None:
        raise NotFound("Audio not found")
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


@router.post("/transcripts/{transcript_id}/audio/link")
def transcript_create_audio_link(
    services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> schemas.AudioLink:
    """Extra: create a link that opens this audio and nothing else, for an hour.

    It ends sooner if the caller may no longer listen. A share link does not make such links, which
    would outlast it.
    """
    own = replace(caller, readable=frozenset(), audible=frozenset())
    with services.db.read() as session:
        _audible(services, session, own, transcript_id, None)
    token = services.identity.signer.audio_link(transcript_id, caller.user_id)
    path = f"/v1/transcripts/{transcript_id}/audio/mp3?token={token}"
    return schemas.AudioLink(url=services.settings.BASE_URL.rstrip("/") + path,
                             expires_in=AUDIO_SECONDS)  # fmt: skip


@router.get("/transcripts/{transcript_id}/audio/waveform")
def transcript_get_audio_waveform(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.AudioWaveform:
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
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
        raise NotFound("Audio not found")
    return schemas.AudioWaveform(data=event.data["waveform"])
