"""Serve `/health`, `/health/ready` and `/metrics`."""

from __future__ import annotations

import os
from typing import Any, cast

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_fastapi_instrumentator import Instrumentator

from reflector.pipeline.metrics import Backlog
from reflector.runtime.health import Health, can_serve
from reflector.runtime.settings import METRICS_FOLDER

router = APIRouter()

LOCAL = {"127.0.0.1", "::1"}


@router.get("/health")
async def health() -> dict[str, str]:
    """Tell whether the process runs. Nothing else is checked, and no thread is needed."""
    return {"status": "healthy"}


@router.get("/health/ready")
def health_ready(request: Request) -> Response:
    """Extra: tell whether all that the server needs works; 503 if it cannot serve."""
    checks = cast(Health, request.app.state.health).checks()
    ready = can_serve(checks)
    healthy = ready and all(check.status == "ok" for check in checks)
    body = {
        "status": "ready" if healthy else "degraded" if ready else "unavailable",
        "checks": [check.view() for check in checks],
    }
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Serve metrics to a collector on this machine; 404 for everyone else."""
    host = request.client.host if request.client else ""
    if host not in LOCAL or "x-forwarded-for" in request.headers:
        raise HTTPException(404, "Not Found")
    registry = CollectorRegistry()
    if os.environ.get(METRICS_FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text = generate_latest(registry)
    else:
        text = generate_latest(REGISTRY)
    backlog = CollectorRegistry()
    backlog.register(cast(Any, Backlog(request.app.state.services.db)))
    return Response(text + generate_latest(backlog), media_type=CONTENT_TYPE_LATEST)


def install(app: FastAPI) -> None:
    app.include_router(router)
    Instrumentator(excluded_handlers=["/docs", "/metrics"]).instrument(app)
