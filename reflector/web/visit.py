"""Open a share link: `/s/TOKEN`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from reflector.accounts import visits
from reflector.accounts.tokens import VISIT_SECONDS
from reflector.db.models import ShareLink
from reflector.errors import Busy, Forbidden, Unauthenticated
from reflector.http.deps import (
    VISIT_COOKIE,
    ServicesDep,
    client_address,
    is_own_page,
    set_cookie,
    visit_cookie,
)
from reflector.services import Services
from reflector.sharing import links
from reflector.web.render import page

router = APIRouter(include_in_schema=False)


@router.get("/s/{token}")
def open_link(request: Request, services: ServicesDep, token: str) -> Response:
    link = links.find(services.db, token)
    if link.password_hash is not None:
        return _ask(request, services, None)
    return _opened(request, services, link)


@router.post("/s/{token}")
def open_link_with_password(
    request: Request, services: ServicesDep, token: str, password: Annotated[str, Form()] = ""
) -> Response:
    if not is_own_page(request.headers):
        raise Forbidden("This is not a page of this server.")
    link = links.find(services.db, token)
    try:
        links.check_password(services.db, link, password, client_address(request))
    except (Unauthenticated, Busy) as error:
        response = _ask(request, services, error)
        response.status_code = error.http_status
        return response
    return _opened(request, services, link)


def _ask(request: Request, services: Services, problem: object = None) -> Response:
    return page(request, "visit.html", services, problem=problem)


def _opened(request: Request, services: Services, link: ShareLink) -> Response:
    links.note_opened(services.db, link)
    cookie = visits.with_link(services.identity.signer, visit_cookie(request), link.id)
    response = RedirectResponse(f"/transcripts/{link.transcript_id}", 303)
    set_cookie(request, response, VISIT_COOKIE, cookie, VISIT_SECONDS)
    return response
