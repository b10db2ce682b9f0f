"""Serve the administration page: people, work, health. Forms without scripts."""

from __future__ import annotations

from typing import Annotated, Any, cast
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from reflector.accounts.access import Caller
from reflector.administration import machine, people, work
from reflector.administration.access import admit, admit_to_people
from reflector.errors import Forbidden, InvalidInput, ReflectorError
from reflector.http.deps import AnyCaller, ServicesDep, is_own_page
from reflector.runtime.health import Health
from reflector.runtime.sizes import readable_size
from reflector.services import Services
from reflector.web.render import page

router = APIRouter(prefix="/administration", include_in_schema=False)

CHANGES: dict[str, dict[str, bool | None]] = {
    "disable": {"disabled": True, "administrator": None},
    "enable": {"disabled": False, "administrator": None},
    "promote": {"disabled": None, "administrator": True},
    "demote": {"disabled": None, "administrator": False},
}


@router.get("")
def administration(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    if caller.is_anonymous and services.identity.policy.has_accounts:
        return RedirectResponse("/login?back=/administration", 303)
    admit(services, caller)
    return _show(request, services, caller)


@router.get("/storage")
def storage(request: Request, services: ServicesDep, caller: AnyCaller) -> Response:
    admit(services, caller)
    shares = machine.storage(services)
    return page(
        request, "administration_storage.html", services, caller=caller, shares=shares,
        size=readable_size,
    )  # fmt: skip


@router.get("/work")
def find_work(services: ServicesDep, caller: AnyCaller, recording: str = "") -> Response:
    """Lead to the steps of a recording, which may be given by its address."""
    admit(services, caller)
    transcript_id = recording.strip().rstrip("/").rpartition("/")[2].partition("?")[0]
    if not transcript_id:
        return RedirectResponse("/administration", 303)
    return RedirectResponse(f"/administration/work/{quote(transcript_id, safe='')}", 303)


@router.get("/work/{transcript_id}")
def recording_work(
    request: Request, services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> Response:
    admit(services, caller)
    with services.db.read() as session:
        steps = work.of_recording(session, caller, transcript_id)
    return page(request, "administration_work.html", services, caller=caller, steps=steps)


@router.post("/models/verify")
def verify_model(
    request: Request, services: ServicesDep, caller: AnyCaller, name: Annotated[str, Form()] = ""
) -> Response:
    _admit_form(request)
    admit(services, caller)
    try:
        problems = machine.verify(services.settings, name)
    except ReflectorError as error:
        return _show(request, services, caller, problem=error)
    return _show(request, services, caller, verified=name, damage=problems)


@router.post("/people")
def create_person(
    request: Request, services: ServicesDep, caller: AnyCaller, email: Annotated[str, Form()] = ""
) -> Response:
    _admit_form(request)
    admit_to_people(services, caller)
    try:
        _, password = people.create(services, email)
    except ReflectorError as error:
        return _show(request, services, caller, problem=error)
    return _show(request, services, caller, created=email.strip(), password=password)


@router.post("/people/{user_id}/{action}")
def change_person(
    request: Request,
    services: ServicesDep,
    caller: AnyCaller,
    user_id: str,
    action: str,
    heir: Annotated[str, Form()] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    _admit_form(request)
    admit_to_people(services, caller)
    try:
        if action in CHANGES:
            people.change(services, user_id, **CHANGES[action])
        elif action == "sign-out":
            people.sign_out(services, user_id)
        elif action == "remove" and sure:
            people.remove(services, user_id, heir or None)
        else:
            raise InvalidInput("Nothing was changed.", "Confirm it with the box above the button.")
    except ReflectorError as error:
        return _show(request, services, caller, problem=error)
    return RedirectResponse("/administration", 303)


@router.post("/work/{transcript_id}/cancel")
def cancel_work(
    request: Request, services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> Response:
    _admit_form(request)
    admit(services, caller)
    try:
        work.cancel(services, transcript_id)
    except ReflectorError as error:
        return _show(request, services, caller, problem=error)
    return RedirectResponse("/administration", 303)


def _admit_form(request: Request) -> None:
    """Raise Forbidden if a page of another site sent the form."""
    if not is_own_page(request.headers):
        raise Forbidden("This is not a page of this server.")


def _show(
    request: Request,
    services: Services,
    caller: Caller,
    problem: ReflectorError | None = None,
    **values: Any,
) -> Response:
    with services.db.read() as session:
        accounts = people.listed(session) if services.identity.policy.has_accounts else []
        steps = work.listed(session, caller)
    parts, problems = _machine(services)
    response = page(
        request, "administration.html", services, caller=caller, people=accounts, steps=steps,
        has_passwords=services.identity.backend == "password",
        size=readable_size, problems=problems, **parts,
        checks=cast(Health, request.app.state.health).checks(), problem=problem,
        **{"created": None, "password": None, "verified": None, "damage": [], **values},
    )  # fmt: skip
    if problem is not None:
        response.status_code = problem.http_status
    return response


def _machine(services: Services) -> tuple[dict[str, Any], list[ReflectorError]]:
    """Return what the page shows of the machine, and what of that cannot be read: the rest is shown."""

    def versions() -> object:
        with services.db.read() as session:
            return machine.versions(session, services.settings)

    parts: dict[str, Any] = {}
    problems = []
    for name, read in (
        ("versions", versions),
        ("models", lambda: machine.models(services.settings)),
    ):
        try:
            parts[name] = read()
        except ReflectorError as error:
            parts[name] = None
            problems.append(error)
    return parts, problems
