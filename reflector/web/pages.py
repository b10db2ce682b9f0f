"""Serve the pages and their files. Callers without access are redirected to the login."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, FastAPI, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reflector import localization
from reflector.accounts import visits
from reflector.accounts.access import (
    Caller,
    Right,
    RouteAccess,
    get_authorized_transcript,
    rights_of,
)
from reflector.db.models import Room, Transcript, User
from reflector.errors import Forbidden, InvalidInput, Unauthenticated
from reflector.http import languages
from reflector.http.deps import AnyCaller, ServicesDep, is_own_page, set_cookie
from reflector.http.headers import PageHeaders
from reflector.http.root_path import RootPath
from reflector.rooms.queries import has_name
from reflector.runtime.settings import Settings
from reflector.services import Services
from reflector.sharing import links
from reflector.speech.engines import chosen_language
from reflector.transcript.language_codes import SPOKEN
from reflector.transcripts.video import video_type
from reflector.web import account, administration, login, offline, problems, visit
from reflector.web.first_view import first_view
from reflector.web.login import local_path
from reflector.web.render import page
from reflector.web.static_files import PREFIX, STATIC
from reflector.webhooks import targets as webhook_targets

router = APIRouter(include_in_schema=False)
# Takes every address of one part, so it comes after all others
room_router = APIRouter(include_in_schema=False)

# Number of classes in style.css; further speakers reuse the colours with another pattern
SPEAKER_COLOURS = 12
LANGUAGES = sorted(SPOKEN)


def _to_login(request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/login?back={quote(request.url.path + query)}", 303)


@router.get("/")
def index(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    with services.db.read() as session:
        has_failing_webhook = webhook_targets.is_any_failing(
            session, caller, services.identity.policy
        )
    return _page_behind(
        RouteAccess.PUBLIC, "index.html", request, services, caller, languages=LANGUAGES,
        is_library=True, has_failing_webhook=has_failing_webhook,
    )  # fmt: skip


@router.get("/trash")
def trash(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(RouteAccess.USER, "trash.html", request, services, caller)


@router.get("/summary-templates")
def summary_templates(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(RouteAccess.USER, "summary_templates.html", request, services, caller)


@router.get("/rooms")
def rooms(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(RouteAccess.USER, "rooms.html", request, services, caller)


@router.get("/webhooks")
def webhooks(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(RouteAccess.USER, "webhooks.html", request, services, caller)


@room_router.get("/{room_name}")
def room(services: ServicesDep, room_name: str) -> Response:
    """Lead from the address of a room to what was recorded there."""
    with services.db.read() as session:
        room_id = session.scalars(select(Room.id).where(has_name(room_name))).first()
    if room_id is None:
        raise HTTPException(404)
    return RedirectResponse(f"/?room_id={room_id}", 303)


def _page_behind(
    access: RouteAccess,
    name: str,
    request: Request,
    services: Services,
    caller: Caller,
    **values: object,
) -> Response:
    try:
        services.identity.policy.admit(caller, access)
    except Unauthenticated:
        return _to_login(request)
    return page(request, name, services, caller=caller, **values)


def _readable(session: Session, caller: Caller, transcript_id: str) -> Transcript | None:
    """Return the transcript; None if the caller has to log in before that is known."""
    try:
        return get_authorized_transcript(session, caller, transcript_id)
    except Forbidden:
        if caller.is_anonymous:
            return None
        raise


@router.get("/transcripts/{transcript_id}")
def transcript(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    transcript_id: str,
    preview: str | None = None,
) -> Response:
    """Show a recording. `preview`: as people see it who open the link with this id."""
    with services.db.read() as session:
        row = _readable(session, caller, transcript_id)
        if row is None:
            return _to_login(request)
        if preview is not None:
            get_authorized_transcript(session, caller, transcript_id, Right.MANAGE)
            caller = visits.visitor(links.get(session, transcript_id, preview))
        with localization.shown_in(languages.wanted(request)):
            view = first_view(session, row)
        change_seq = row.change_seq
        rights = rights_of(caller, row, services.identity.policy)
        has_video = rights.hear and video_type(row.upload_key) is not None
        language = chosen_language(row.source_language)
    return page(
        request,
        "transcript.html",
        services,
        caller=caller,
        transcript_id=transcript_id,
        view=view,
        rights=rights,
        is_linked=transcript_id in caller.readable,
        is_preview=preview is not None,
        change_seq=change_seq,
        has_video=has_video,
        language=language,
        languages=LANGUAGES,
        colours=SPEAKER_COLOURS,
    )


@router.get("/live/{transcript_id}")
def live(
    request: Request, services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> Response:
    """Show what is said in a recording that runs, large enough for a projector."""
    with services.db.read() as session:
        row = _readable(session, caller, transcript_id)
        if row is None:
            return _to_login(request)
        language = chosen_language(row.source_language)
    return page(
        request, "live.html", services, caller=caller, transcript_id=transcript_id,
        title=row.title or row.name, language=language,
    )  # fmt: skip


@router.post("/language")
def choose_language(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    language: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the language that a person chose, and go back to where they were.

    It is kept in the browser, and with the account for other browsers.
    """
    if language not in localization.LANGUAGES:
        raise InvalidInput("The pages do not have this language.")
    if caller.user_id is not None and is_own_page(request.headers):
        with services.db.write() as session:
            session.execute(update(User).where(User.id == caller.user_id).values(language=language))
    response = RedirectResponse(local_path(back), 303)
    set_cookie(request, response, languages.COOKIE, language, languages.COOKIE_SECONDS)
    return response


def install(app: FastAPI, settings: Settings) -> None:
    app.include_router(router)
    app.include_router(login.router)
    app.include_router(visit.router)
    app.include_router(offline.router)
    app.include_router(account.router)
    app.include_router(administration.router)
    app.mount(PREFIX, StaticFiles(directory=STATIC), name="static")
    app.include_router(room_router)
    public = settings.TRANSCRIPT_STORAGE_AWS_PUBLIC_URL
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public)) if public else None
    app.add_middleware(PageHeaders, media_origin=origin)
    if root := settings.ROOT_PATH.rstrip("/"):
        app.add_middleware(RootPath, root=root)
    problems.install(app)
