"""Answer errors with `detail` for the reference's clients and `error` for OpenAI's."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from reflector.errors import OutOfSpace, ReflectorError, is_out_of_space
from reflector.speech_service.limiter import Cancelled
from reflector.speech_service.work import FAILED

log = logging.getLogger(__name__)

RETRY_SECONDS = "5"
CLIENT_GONE = 499  # nginx's status for it
TYPES = {401: "authentication_error", 429: "rate_limit_error"}


def answer(status: int, message: str, detail: object = None) -> JSONResponse:
    kind = TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": message, "type": kind, "param": None, "code": None}
    headers = {"Retry-After": RETRY_SECONDS} if status in {429, 503} else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"detail": detail or message, "error": error}, status, headers)


def install(app: FastAPI) -> None:
    @app.exception_handler(ReflectorError)
    async def known(request: Request, error: ReflectorError) -> Response:
        return answer(error.http_status, str(error))

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        return answer(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = [
            {"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]}
            for item in error.errors()
        ]
        sentence = "; ".join(f"{'.'.join(map(str, i['loc'][1:]))}: {i['msg']}" for i in found)
        return answer(422, sentence, found)

    for kind in (Cancelled, ClientDisconnect):

        @app.exception_handler(kind)
        async def gone(request: Request, error: Exception) -> Response:
            return Response(status_code=CLIENT_GONE)  # nobody reads it

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        if is_out_of_space(error):
            full = OutOfSpace("The disk of the speech service is full; try again once it has room.")
            return answer(full.http_status, str(full))
        return answer(500, FAILED)
