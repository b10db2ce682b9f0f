"""Serve the account page: password, sessions, API keys. Forms without scripts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from reflector.accounts import keys, sessions, users
from reflector.accounts.access import Caller
from reflector.accounts.login import check_password
from reflector.db.models import User, now
from reflector.errors import N_, Forbidden, InvalidInput, ReflectorError
from reflector.events.outbox import tell_signed_out
from reflector.http.deps import AnyCaller, ServicesDep, client_address, is_own_page, session_cookie
from reflector.localization import gettext
from reflector.services import Services
from reflector.web.login import set_session, signed_out
from reflector.web.render import page

router = APIRouter(include_in_schema=False)

CHANGED = N_(
    "The password is changed. Every other browser is signed out, and the API keys are removed."
)


@router.get("/account")
def account(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    if caller.is_anonymous:
        return RedirectResponse("/login?back=/account" if _has_accounts(services) else "/", 303)
    return _show(request, services, caller)


@router.post("/account/password")
def change_password(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    current: Annotated[str, Form()] = "",
    fresh: Annotated[str, Form(alias="new")] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    user = _own(request, services, caller)
    try:
        if fresh != again:
            raise InvalidInput("The two new passwords are not the same.")
        check_password(services.db, user.email, current, client_address(request))
        if fresh == current:
            raise InvalidInput("The new password is the current one.", "Choose another one.")
        hashed = users.checked_hash(fresh, user.email)
    except ReflectorError as error:
        wrong: object = (
            N_("The current password is not right.") if error.http_status == 401 else error
        )
        response = _show(request, services, caller, problem=wrong)
        response.status_code = 400 if error.http_status == 401 else error.http_status
        return response
    with services.db.write() as session:
        users.set_password(session, user.email, hashed)
    services.identity.forget()
    tell_signed_out(services.bus, user.id)
    response = _show(request, services, caller, said=CHANGED)
    set_session(request, response, services, user)
    return response


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    user_id = _own(request, services, caller).id
    with services.db.write() as session:
        users.sign_out(session, session.get_one(User, user_id))
    tell_signed_out(services.bus, user_id)
    return signed_out(request, services)


@router.post("/account/keys")
def make_key(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    user = _own(request, services, caller)
    with services.db.write() as session:
        _, key = keys.create(session, services.settings, user.id, name.strip() or None)
    return _show(request, services, caller, key=key)


@router.post("/account/keys/{key_id}/remove")
def remove_key(request: Request, services: ServicesDep, caller: AnyCaller, key_id: str) -> Response:
    user = _own(request, services, caller)
    with services.db.write() as session:
        keys.remove(session, user.id, key_id)
    services.identity.forget()
    tell_signed_out(services.bus, user.id)
    return RedirectResponse("/account", 303)


def _own(request: Request, services: Services, caller: Caller) -> User:
    """Return the account of a caller on one of our own pages. Raises Forbidden otherwise."""
    if caller.is_anonymous or not is_own_page(request.headers):
        raise Forbidden("This is not a page of this server.")
    with services.db.read() as session:
        user = session.get(User, caller.user_id)
    if user is None:
        raise Forbidden("There is no account here that could be changed.")
    return user


def _has_accounts(services: Services) -> bool:
    return services.identity.policy.has_accounts


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """Return a common name for the user agent `agent`, like *Firefox on Windows*."""
    browser = next((name for mark, name in BROWSERS if mark in agent), None)
    system = next((name for mark, name in SYSTEMS if mark in agent), None)
    if browser is None or system is None:
        return agent or gettext("A browser")
    return gettext("{browser} on {system}").format(browser=browser, system=system)


def _show(request: Request, services: Services, caller: Caller, **values: Any) -> Response:
    assert caller.user_id is not None
    with services.db.read() as session:
        user = session.get(User, caller.user_id)
        browsers = sessions.of_account(session, caller.user_id)
        own_keys = keys.of_account(session, caller.user_id)
    here = keys.keyed_hash(services.settings, session_cookie(request) or "")
    return page(
        request, "account.html", services, caller=caller, user=user, browsers=browsers,
        keys=own_keys, browser_name=browser_name, here=here, now=now(), key_days=keys.DAYS,
        **{"problem": None, "said": None, "key": None, **values},
    )  # fmt: skip
