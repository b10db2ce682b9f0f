"""Log in and out in a browser, with a password form or the identity provider.

The session is a cookie that scripts cannot read. The API accepts it only from our own pages.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from reflector.accounts import sessions
from reflector.accounts.browser import PENDING_SECONDS, BrowserLogin
from reflector.accounts.login import check_password, note_login
from reflector.accounts.tokens import derived_key
from reflector.db.models import User
from reflector.errors import Forbidden, ReflectorError
from reflector.events.outbox import tell_signed_out
from reflector.http import languages
from reflector.http.deps import (
    SESSION_COOKIE,
    VISIT_COOKIE,
    ServicesDep,
    client_address,
    cookie_name,
    is_own_page,
    session_cookie,
    set_cookie,
)
from reflector.services import Services
from reflector.web.render import page

router = APIRouter(include_in_schema=False)

PENDING_COOKIE = "reflector_login"
CALLBACK = "/login/callback"


def local_path(back: str) -> str:
    """Return `back` if it is a path of this server, otherwise `/`.

    A link to the login must not redirect elsewhere afterwards.
    """
    if back.startswith("/") and not back.startswith(("//", "/\\")) and "\n" not in back:
        return back
    return "/"


@lru_cache(maxsize=4)
def _browser_login(services: Services) -> BrowserLogin:
    secret = services.settings.SECRET_KEY.get_secret_value().encode()
    key = derived_key(secret, "reflector:login")
    return BrowserLogin(services.settings, services.identity.provider, key)


@router.get("/login")
def login_form(request: Request, services: ServicesDep, back: str = "/") -> Response:
    if services.identity.backend == "password":
        return page(request, "login.html", services, back=local_path(back), problem=None)
    if services.identity.backend == "jwt" and services.settings.AUTH_OIDC_ISSUER:
        try:
            address, pending = _browser_login(services).begin(_callback(request), local_path(back))
        except ReflectorError as error:
            return _problem(request, services, error)
        response = RedirectResponse(address, 303)
        set_cookie(request, response, PENDING_COOKIE, pending, PENDING_SECONDS)
        return response
    return RedirectResponse("/", 303)


@router.post("/login")
def login_with_password(
    request: Request,
    services: ServicesDep,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    if services.identity.backend != "password" or not is_own_page(request.headers):
        raise Forbidden("This is not a page of this server.")
    try:
        user = check_password(services.db, email, password, client_address(request))
    except ReflectorError as error:
        response = page(
            request,
            "login.html",
            services,
            back=local_path(back),
            problem=error,
            email=email,
        )
        response.status_code = error.http_status
        return response
    return _logged_in(request, services, user, local_path(back))


@router.get(CALLBACK)
def login_callback(request: Request, services: ServicesDep) -> Response:
    try:
        subject, email, back = _browser_login(services).finish(
            str(request.url),
            _callback(request),
            request.cookies.get(cookie_name(request, PENDING_COOKIE), ""),
        )
        caller = services.identity.account_of(subject, email)
    except ReflectorError as error:
        note_login("an identity provider's account", client_address(request), "refused")
        return _problem(request, services, error)
    note_login(email, client_address(request), "succeeded")
    with services.db.read() as session:
        user = session.get_one(User, caller.user_id)
    response = _logged_in(request, services, user, local_path(back))
    _delete(request, response, PENDING_COOKIE)
    return response


@router.post("/logout")
def logout(request: Request, services: ServicesDep) -> Response:
    if not is_own_page(request.headers):
        raise Forbidden("This is not a page of this server.")
    cookie = session_cookie(request) or ""
    user = sessions.find(services.db, services.settings, cookie)
    with services.db.write() as session:
        sessions.end(session, services.settings, cookie)
    if user is not None:
        tell_signed_out(services.bus, user.id)
    return signed_out(request, services)


def signed_out(request: Request, services: Services) -> Response:
    """Redirect to the login, and clear the session from the browser."""
    services.identity.forget()
    response = RedirectResponse("/login", 303)
    # The language belongs to the account, or to who comes next
    for name in (SESSION_COOKIE, VISIT_COOKIE, languages.COOKIE):
        _delete(request, response, name)
    # The "Back" button must not show what was seen before
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _logged_in(request: Request, services: Services, user: User, back: str) -> Response:
    response = RedirectResponse(back, 303)
    set_session(request, response, services, user)
    return response


def set_session(request: Request, response: Response, services: Services, user: User) -> None:
    """Start a new session and set its cookie; the browser's earlier session ends."""
    agent = request.headers.get("user-agent", "")
    with services.db.write() as session:
        sessions.end(session, services.settings, session_cookie(request) or "")
        token = sessions.start(session, services.settings, user.id, agent)
    set_cookie(request, response, SESSION_COOKIE, token, int(sessions.LONGEST.total_seconds()))
    # What was chosen in this browser counts more
    if user.language is not None and not request.cookies.get(
        cookie_name(request, languages.COOKIE)
    ):
        set_cookie(request, response, languages.COOKIE, user.language, languages.COOKIE_SECONDS)


def _delete(request: Request, response: Response, name: str) -> None:
    set_cookie(request, response, name, "", 0)


def _callback(request: Request) -> str:
    return str(request.base_url).rstrip("/") + CALLBACK


def _problem(request: Request, services: Services, error: ReflectorError) -> HTMLResponse:
    response = page(request, "problem.html", services, problem=error)
    response.status_code = error.http_status
    return response
