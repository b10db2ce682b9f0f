"""Serve what the pages need to be an app: its service worker, and what it shows without a server."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from reflector.http.deps import ServicesDep
from reflector.http.headers import SERVICE_WORKER
from reflector.web.render import page
from reflector.web.static_files import PREFIX, STATIC

router = APIRouter(include_in_schema=False)

SOURCE = STATIC / "service_worker.js"
OFFLINE = "/offline"


@router.get(SERVICE_WORKER)
def service_worker(services: ServicesDep) -> Response:
    """Serve the service worker below no hash: browsers look for a new one under the same address."""
    root = services.settings.ROOT_PATH.rstrip("/")
    files = [path for path in STATIC.rglob("*") if path.is_file() and path != SOURCE]
    shell = {
        "root": root,
        "version": PREFIX.rpartition("/")[2],
        "files": [
            f"{root}{PREFIX}/{path.relative_to(STATIC).as_posix()}" for path in sorted(files)
        ],
        "page": f"{root}{OFFLINE}",
    }
    text = f"self.SHELL = {json.dumps(shell)};\n{SOURCE.read_text()}"
    headers = {"Cache-Control": "no-cache"}
    return Response(text, media_type="text/javascript", headers=headers)


@router.get(OFFLINE)
def offline(request: Request, services: ServicesDep) -> Response:
    """Show that the server cannot be reached: the service worker keeps this page for that."""
    return page(request, "offline.html", services)


@router.post("/share")
def share() -> Response:
    """Lead to the library: what another app shares is taken by the service worker, if it runs."""
    return RedirectResponse("/?shared", 303)
