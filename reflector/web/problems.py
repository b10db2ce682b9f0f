"""Show errors as pages, instead of JSON, to people who follow a link."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from reflector.errors import N_, PasswordChangeNeeded
from reflector.http.deps import services_of
from reflector.web.render import page

Handler = Callable[[Request, Any], Awaitable[Response]]

# Titles of error pages, by status
TITLES = {
    401: N_("Please log in"),
    403: N_("This is not shared with you"),
    404: N_("There is nothing at this address"),
    410: N_("This does not exist any more"),
    429: N_("Too much at once"),
    503: N_("The server cannot do this at the moment"),
    507: N_("The disk of the server is full"),
}
OTHER = N_("That did not work")
UNKNOWN_ADDRESS = N_("The address may be mistyped, or the recording was deleted.")
FAILED = N_("The server failed. Its log says why.")


def install(app: FastAPI) -> None:
    """Make every installed error handler answer page requests with a page."""
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _as_page(cast(Handler, handler))


def _as_page(handler: Handler) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        if isinstance(error, PasswordChangeNeeded) and _wants_page(request):
            return RedirectResponse("/account", 303)
        response = await handler(request, error)
        return _problem(request, response) if _wants_page(request) else response

    return handle


def _wants_page(request: Request) -> bool:
    """Return whether a person opened this address in a browser."""
    if request.scope["type"] != "http" or request.method not in {"GET", "HEAD"}:
        return False
    return "text/html" in request.headers.get("accept", "")


def _problem(request: Request, response: Response) -> HTMLResponse:
    status = response.status_code
    shown = page(
        request,
        "problem.html",
        services_of(request),
        title=TITLES.get(status, OTHER),
        problem=_sentence(response),
        can_retry=status in {429, 500, 503, 507},
        is_shown_to_others=status in {401, 403},
    )
    shown.status_code = status
    for name in ("Retry-After", "WWW-Authenticate"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


def _sentence(response: Response) -> object:
    """Return the sentence of an answer, or its parts."""
    if not isinstance(response, JSONResponse):
        return FAILED
    body = json.loads(bytes(response.body))
    if "parts" in body:
        return body["parts"]
    detail = body.get("detail")
    # Starlette's sentence for an unknown route
    if detail == "Not Found":
        return UNKNOWN_ADDRESS
    return detail if isinstance(detail, str) else OTHER
