"""Record from a browser's microphone, over WebRTC."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from reflector.accounts.access import Caller
from reflector.db.models import Status
from reflector.events.outbox import Outbox
from reflector.http.deps import PublicCaller, ServicesDep
from reflector.http.limits import refuse_without_space
from reflector.live.recordings import LiveRecordings
from reflector.live.rights import open_transcript
from reflector.services import Services

router = APIRouter(tags=["transcripts"])


class RtcOffer(BaseModel):
    """A session description of WebRTC: `type` is `offer`, or `answer` in answers."""

    sdp: str
    type: str


@router.post("/transcripts/{transcript_id}/record/webrtc")
async def transcript_record_webrtc(
    request: Request,
    services: ServicesDep,
    caller: PublicCaller,
    transcript_id: str,
    offer: RtcOffer,
) -> RtcOffer:
    """Answer a browser's offer and record what it sends.

    The recording ends with `{"cmd": "STOP"}` on a data channel, or when its client has been gone
    for a while. Until then the same client may return with another offer and continue it.
    """
    await run_in_threadpool(_check, services, caller, transcript_id, offer)
    live = cast(LiveRecordings, request.app.state.live)
    answer = await live.begin(
        transcript_id, offer.sdp, lambda: _mark(services, caller, transcript_id)
    )
    return RtcOffer(sdp=answer, type="answer")


def _check(services: Services, caller: Caller, transcript_id: str, offer: RtcOffer) -> None:
    from reflector.live.peer import check_offer  # imports aiortc, so only when someone records

    with services.db.read() as session:
        open_transcript(session, caller, transcript_id)
    check_offer(offer.sdp, offer.type)
    refuse_without_space(services.settings)


def _mark(services: Services, caller: Caller, transcript_id: str) -> None:
    with services.db.write() as session:
        transcript = open_transcript(session, caller, transcript_id, lock=True)
        events = Outbox(services.bus, session, transcript)
        events.status(Status.RECORDING)
