"""Errors as answers: `{"detail": sentence}`."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from reflector.errors import OutOfSpace, ReflectorError, is_out_of_space

log = logging.getLogger(__name__)

FULL = (
    "The disk of the server is full. What was stored before is safe; try again once there is room."
)


def install(app: FastAPI) -> None:
    @app.exception_handler(ReflectorError)
    async def known(request: Request, error: ReflectorError) -> Response:
        return JSONResponse({"detail": str(error)}, error.http_status)

    @app.exception_handler(OSError)
    async def system(request: Request, error: OSError) -> Response:
        return _full_or_500(request, error)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return _full_or_500(request, error)


def _full_or_500(request: Request, error: Exception) -> Response:
    if is_out_of_space(error):
        return JSONResponse({"detail": FULL}, OutOfSpace.http_status)
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Response("Internal Server Error", 500, media_type="text/plain")
