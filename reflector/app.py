"""The web application: API, pages, and embedded also the worker."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline

from reflector import __version__, web
from reflector.api import audio, errors, events, recording, transcripts
from reflector.api.origin import SameOrigin
from reflector.errors import ConfigurationError
from reflector.services import Services
from reflector.settings import Settings
from reflector.worker import EmbeddedWorker


def _operation_id(route: APIRoute) -> str:
    return f"v1_{route.name}" if route.path.startswith("/v1") else route.name


def create_app(services: Services) -> FastAPI:
    """The application over `services`, which the caller opens and closes."""
    settings = services.settings
    _refuse_what_is_not_there_yet(settings)
    worker = EmbeddedWorker(services)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker.start()
        threading.Thread(target=services.speech.prepare, name="models", daemon=True).start()
        yield
        worker.stop()

    app = FastAPIOffline(
        title="Reflector",
        version=__version__,
        lifespan=lifespan,
        root_path=settings.ROOT_PATH.rstrip("/"),
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    app.state.runner = worker.runner
    errors.install(app)
    _add_cross_origin_rules(app, services)
    v1 = APIRouter(prefix="/v1")
    for module in (transcripts, recording, audio, events):
        v1.include_router(module.router)
    app.include_router(v1)
    web.install(app)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "healthy"}

    return app


def _refuse_what_is_not_there_yet(settings: Settings) -> None:
    """Settings of the reference that would be ignored: a login that is not asked for, a service
    that is not used. Better no start than another server than the operator thinks."""
    available = {
        "AUTH_BACKEND": "none",
        "TRANSCRIPT_BACKEND": "whisper",
        "DIARIZATION_BACKEND": "pyannote",
        "TRANSLATION_BACKEND": "passthrough",
    }
    for name, only in available.items():
        if (value := getattr(settings, name)) != only:
            raise ConfigurationError(
                f"{name}={value} is not available in this version",
                f"Set {name}={only}, or leave it out.",
            )


def _add_cross_origin_rules(app: FastAPI, services: Services) -> None:
    """Without accounts a browser is trusted only with this server's own pages.

    The reference's default is `CORS_ORIGIN=*`. On a server that asks for no login that would let
    any page that its operator visits read the meetings, so there it counts only where it was set.
    """
    settings = services.settings
    allowed = settings.CORS_ORIGIN.split(",") if "CORS_ORIGIN" in settings.model_fields_set else []
    app.add_middleware(
        CORSMiddleware,
        allow_origins=allowed,
        allow_credentials=settings.CORS_ALLOW_CREDENTIALS,
        allow_methods=["*"],
        allow_headers=["*"],
    )
    app.add_middleware(SameOrigin, allowed=allowed)
