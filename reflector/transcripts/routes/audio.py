"""Serve playback audio with ranges, links to it, and the waveform."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, get_audible_transcript, get_authorized_transcript
from reflector.accounts.tokens import AUDIO_SECONDS, InvalidToken
from reflector.db.models import Event, Transcript
from reflector.errors import NotFound, Unauthenticated
from reflector.events.names import EventName
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller
from reflector.http.ranges import serve
from reflector.services import Services
from reflector.storage.keys import audio_key
from reflector.transcripts import schemas

router = APIRouter(tags=["transcripts"])

BAD_TOKEN = "Invalid or expired token"  # noqa: S105 - a sentence


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
    name = f"recording_{transcript_id.partition('-')[0]}.mp3"
    return serve(
        request, services.storage, audio_key(transcript_id), "audio/mpeg", name, "Audio not found"
    )


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
