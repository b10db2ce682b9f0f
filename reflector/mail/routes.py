"""Send a transcript by e-mail, as the reference does."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reflector.accounts.access import NOBODY, get_authorized_transcript
from reflector.errors import N_, InvalidInput
from reflector.http import languages
from reflector.http.deps import ServicesDep, UserCaller
from reflector.mail import delivery, queue, schemas

router = APIRouter(tags=["transcripts"])

NOT_CONFIGURED = N_("Email not configured")
NOT_READY = N_("This recording is not ready yet. Send it once it is.")


@router.post("/transcripts/{transcript_id}/email")
def transcript_send_email(
    request: Request,
    services: ServicesDep,
    caller: UserCaller,
    transcript_id: str,
    info: schemas.SendEmailRequest,
) -> schemas.SendEmailResponse:
    """Send the summary and the text to an address, now. Who may read a transcript may do so."""
    with services.db.write() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id)
        if not services.settings.sends_mail:
            raise InvalidInput(NOT_CONFIGURED)
        if transcript.shown_run is None:
            raise InvalidInput(NOT_READY)
        language = languages.wanted(request)
        user_id = caller.user_id or NOBODY
        mail_id = queue.order(session, transcript_id, user_id, info.email, language).id
    delivery.send_now(services, mail_id)
    return schemas.SendEmailResponse(sent=1)
