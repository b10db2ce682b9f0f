"""The pages and their files. Who may not see a page is sent to the login."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from reflector.api.deps import AnyCaller, ServicesDep
from reflector.auth.access import Caller, Door, find
from reflector.errors import Forbidden, Unauthenticated
from reflector.services import Services
from reflector.settings import Settings
from reflector.web import login
from reflector.web.headers import PageHeaders
from reflector.web.render import FOLDER, page

router = APIRouter(include_in_schema=False)


def _to_login(request: Request) -> Response:
    return RedirectResponse(f"/login?back={quote(request.url.path)}", 303)


@router.get("/")
def index(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(Door.PUBLIC, "index.html", request, services, caller)


@router.get("/trash")
def trash(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    return _page_behind(Door.USER, "trash.html", request, services, caller)


def _page_behind(
    door: Door, name: str, request: Request, services: Services, caller: Caller
) -> Response:
    try:
        services.identity.policy.admit(caller, door)
    except Unauthenticated:
        return _to_login(request)
    return page(request, name, services, caller=caller)


@router.get("/transcripts/{transcript_id}")
def transcript(
    request: Request, services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> Response:
    with services.db.read() as session:
        try:
            row = find(session, caller, transcript_id)
        except Forbidden:
            if caller.is_anonymous:
                return _to_login(request)
            raise
        title = row.title or row.name or "Recording"
    return page(
        request,
        "transcript.html",
        services,
        caller=caller,
        transcript_id=transcript_id,
        title=title,
    )


def install(app: FastAPI, settings: Settings) -> None:
    app.include_router(router)
    app.include_router(login.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    public = settings.TRANSCRIPT_STORAGE_AWS_PUBLIC_URL
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public)) if public else None
    app.add_middleware(PageHeaders, media_origin=origin)
