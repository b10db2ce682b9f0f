"""Share a transcript. All routes are extra: the reference knows only the three share modes."""

from __future__ import annotations

import io

import segno
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller, Right, get_authorized_transcript, level_of
from reflector.accounts.passwords import hash_password
from reflector.db import models
from reflector.db.changes import touch
from reflector.db.models import Transcript, now
from reflector.errors import InvalidInput
from reflector.events.names import UserEventName
from reflector.events.outbox import publish_changed, publish_to_user
from reflector.http.deps import ServicesDep, UserCaller
from reflector.http.schemas import StatusAnswer
from reflector.services import Services
from reflector.sharing import links, people, schemas
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent

router = APIRouter(tags=["sharing"], prefix="/transcripts/{transcript_id}/shares")


def _owned(session: Session, caller: Caller, transcript_id: str) -> Transcript:
    """Return the transcript, locked, if `caller` may share it.

    Raises InvalidInput if it has no owner: everybody may read it anyway.
    """
    transcript = get_authorized_transcript(session, caller, transcript_id, Right.MANAGE, lock=True)
    if transcript.user_id is None:
        raise InvalidInput(
            "This recording has no owner. Everybody who reaches the server reads it."
        )
    return transcript


def _changed(services: Services, session: Session, transcript: Transcript) -> None:
    """Make viewers prove again what they may see."""
    touch(session, transcript)
    publish_changed(session, services.bus, transcript.id)


def _url(request: Request, link: models.ShareLink) -> str:
    return f"{str(request.base_url).rstrip('/')}/s/{link.token}"


def _view(request: Request, link: models.ShareLink) -> schemas.ShareLink:
    return schemas.ShareLink(
        id=link.id,
        url=_url(request, link),
        created_at=link.created_at,
        expires_at=link.expires_at,
        is_expired=link.expires_at is not None and link.expires_at <= now(),
        has_password=link.password_hash is not None,
        with_sound=link.with_sound,
        last_opened_at=link.last_opened_at,
    )


@router.get("")
def shares_get(
    request: Request, services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.Shares:
    """Extra: list whom the transcript is shared with, and its links."""
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id, Right.MANAGE)
        shared = people.shared_with(session, transcript_id)
        return schemas.Shares(
            people=[
                schemas.SharedPerson(user_id=user.id, email=user.email, level=level)
                for user, level in shared
            ],
            links=[_view(request, link) for link in links.links_of(session, transcript_id)],
        )


@router.put("/people")
def shares_put_person(
    services: ServicesDep, caller: UserCaller, transcript_id: str, info: schemas.SharePerson
) -> schemas.SharedPerson:
    """Extra: share with the account of an e-mail address, to read (`view`) or to change (`edit`)."""
    with services.db.write() as session:
        transcript = _owned(session, caller, transcript_id)
        user = people.share(session, transcript, info.email, info.level)
        webhooks.announce(session, transcript, WebhookEvent.SHARED)
        _changed(services, session, transcript)
        created = UserEventName.TRANSCRIPT_CREATED
        publish_to_user(session, services.bus, transcript_id, user.id, created)
        return schemas.SharedPerson(user_id=user.id, email=user.email, level=info.level)


@router.delete("/people/{user_id}")
def shares_delete_person(
    services: ServicesDep, caller: UserCaller, transcript_id: str, user_id: str
) -> StatusAnswer:
    """Extra: stop sharing with this account. A person can also leave by themselves."""
    with services.db.write() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id, lock=True)
        if user_id != caller.user_id or level_of(caller, transcript) is None:
            transcript = _owned(session, caller, transcript_id)
        if people.unshare(session, transcript_id, user_id):
            _changed(services, session, transcript)
            deleted = UserEventName.TRANSCRIPT_DELETED
            publish_to_user(session, services.bus, transcript_id, user_id, deleted)
    return StatusAnswer()


@router.post("/links")
def shares_create_link(
    request: Request,
    services: ServicesDep,
    caller: UserCaller,
    transcript_id: str,
    info: schemas.CreateShareLink,
) -> schemas.ShareLink:
    """Extra: create a link that lets anybody who has it read the transcript."""
    # Before the transaction, because it takes a third of a second
    hashed = hash_password(info.password) if info.password else None
    with services.db.write() as session:
        transcript = _owned(session, caller, transcript_id)
        link = links.create(session, transcript.id, info, hashed)
        webhooks.announce(session, transcript, WebhookEvent.SHARED)
        return _view(request, link)


@router.delete("/links/{link_id}")
def shares_delete_link(
    services: ServicesDep, caller: UserCaller, transcript_id: str, link_id: str
) -> StatusAnswer:
    """Extra: remove a link. It opens nothing any more, also for those who opened it before."""
    with services.db.write() as session:
        transcript = _owned(session, caller, transcript_id)
        session.delete(links.get(session, transcript_id, link_id))
        _changed(services, session, transcript)
    services.identity.forget()
    return StatusAnswer()


@router.get("/links/{link_id}/qr", response_class=Response)
def shares_get_link_qr(
    request: Request, services: ServicesDep, caller: UserCaller, transcript_id: str, link_id: str
) -> Response:
    """Extra: get the link as a QR code, an SVG image."""
    with services.db.read() as session:
        get_authorized_transcript(session, caller, transcript_id, Right.MANAGE)
        url = _url(request, links.get(session, transcript_id, link_id))
    image = io.BytesIO()
    # Black on white in any colour scheme: cameras expect it
    try:
        code = segno.make_qr(url)
    except segno.DataOverflowError:
        raise InvalidInput("The address of this server is too long for a QR code.") from None
    code.save(image, kind="svg", border=4, light="#fff", omitsize=True)
    return Response(image.getvalue(), media_type="image/svg+xml")
