"""Turn errors into responses: `{"detail": sentence, "code": kind, "parts": [[text, values], …]}`.

`parts` are what the sentence is made of, for clients that translate it.
"""

from __future__ import annotations

import logging
import re

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from reflector.db.engine import is_disconnect
from reflector.errors import (
    N_,
    Busy,
    Conflict,
    Forbidden,
    OutOfSpace,
    ReflectorError,
    Unauthenticated,
    Unavailable,
    Unstorable,
    is_out_of_space,
)
from reflector.http.deps import client_address
from reflector.runtime.log import about

log = logging.getLogger(__name__)

FULL = N_(
    "The disk of the server is full. What was stored before is safe; try again once there is room."
)
GONE_MEANWHILE = N_("Somebody else changed or removed this meanwhile. Read it again first.")
NO_DATABASE = N_("The database does not answer. Nothing was changed; try again in a moment.")
UNSTORABLE = N_("The request holds a number or a character that cannot be stored.")
RETRY_SECONDS = "5"


def install(app: FastAPI) -> None:
    @app.exception_handler(ReflectorError)
    async def known(request: Request, error: ReflectorError) -> Response:
        if isinstance(error, Forbidden):
            _note_refusal(request, error)
        return answer(error)

    for kind in (DataError, StatementError, StaleDataError, OverflowError, UnicodeEncodeError):

        @app.exception_handler(kind)
        async def unstorable(request: Request, error: Exception) -> Response:
            """Answer 422 if a number beyond 64 bits or a character cannot be stored."""
            if is_unstorable(error):
                return answer(Unstorable(UNSTORABLE))
            return _foreseen_or_500(request, error)

    @app.exception_handler(OSError)
    async def system(request: Request, error: OSError) -> Response:
        return _foreseen_or_500(request, error)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return _foreseen_or_500(request, error)


def _note_refusal(request: Request, error: Forbidden) -> None:
    """Log for administrators that a caller was refused access."""
    address = client_address(request)
    with about(event="refused", address=address, outcome=error.message):
        log.info("%s %r from %s: %s", request.method, _named(request), address, error.message)


def _named(request: Request) -> str:
    """Return the path for the log, without the token of a share link."""
    path = request.url.path
    return re.sub(r"/s/[^/]+$", "/s/…", path)


def is_unstorable(error: BaseException | None) -> bool:
    if isinstance(error, DataError | OverflowError | UnicodeEncodeError):
        return True
    return isinstance(error, StatementError) and isinstance(
        error.orig, OverflowError | UnicodeEncodeError | ValueError
    )


def answer(error: ReflectorError) -> JSONResponse:
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    elif error.http_status in {429, 503}:
        wait = error.retry_seconds if isinstance(error, Busy) else None
        headers["Retry-After"] = str(wait or RETRY_SECONDS)
    body = {"detail": str(error), "code": error.code, "parts": error.parts}
    return JSONResponse(jsonable_encoder(body), error.http_status, headers)


def _foreseen_or_500(request: Request, error: Exception) -> Response:
    if is_out_of_space(error):
        return answer(OutOfSpace(FULL))
    if isinstance(error, IntegrityError | StaleDataError):
        log.warning(
            "%s %s: a row has gone meanwhile", request.method, _named(request), exc_info=error
        )
        return answer(Conflict(GONE_MEANWHILE))
    if is_disconnect(error):
        log.warning("%s %s: the database does not answer", request.method, _named(request))
        return answer(Unavailable(NO_DATABASE))
    log.error("%s %s failed", request.method, _named(request), exc_info=error)
    return Response("Internal Server Error", 500, media_type="text/plain")
