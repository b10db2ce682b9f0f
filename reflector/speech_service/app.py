"""Create the speech service's web application."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from reflector import __version__
from reflector.http.request_sizes import FORM_BYTES, RequestSizes
from reflector.runtime.sd_notify import Watchdog
from reflector.runtime.settings import Settings
from reflector.speech.engines import shown_model
from reflector.speech.registry import SpeechEngines
from reflector.speech_service.jobs import Jobs
from reflector.speech_service.limiter import RealtimeSlots, RequestLimiter
from reflector.speech_service.routes import (
    diarization,
    errors,
    realtime,
    tracks,
    transcriptions,
    translation,
)
from reflector.speech_service.routes import jobs as jobs_api
from reflector.speech_service.routes.deps import KeyFirst
from reflector.speech_service.work import SpeechWork
from reflector.translation.choose import OwnTranslators

log = logging.getLogger(__name__)

PULSE_SECONDS = 1.0
# Far more than the slowest processor needs for one batch of the largest model
STUCK_SECONDS = 1800.0
LOCAL = {"127.0.0.1", "::1"}


def create_speech_app(settings: Settings, engines: SpeechEngines) -> FastAPI:
    """Return the application for `engines`; it fetches and loads their models once started."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=engines.load, name="models", daemon=True).start()
        pulse = asyncio.create_task(_pulse(engines))
        yield
        pulse.cancel()
        app.state.limiter.close()
        app.state.jobs.close()

    app = FastAPIOffline(title="Reflector speech", version=__version__, lifespan=lifespan)
    app.state.work = SpeechWork(settings, engines)
    app.state.limiter = RequestLimiter(settings.SPEECH_REQUESTS)
    app.state.realtime = RealtimeSlots(settings.MAX_LIVE_RECORDINGS)
    app.state.jobs = Jobs(settings, engines)
    app.state.translator = OwnTranslators(settings)
    errors.install(app)
    limit = settings.MAX_UPLOAD_BYTES + FORM_BYTES
    app.add_middleware(RequestSizes, limit_of=lambda _: limit)
    app.add_middleware(KeyFirst, settings=settings)
    app.include_router(transcriptions.router)
    app.include_router(diarization.router)
    app.include_router(jobs_api.router)
    app.include_router(realtime.router)
    app.include_router(tracks.router)
    app.include_router(translation.router)
    app.add_api_route("/health", health, methods=["GET"])
    app.add_api_route("/metrics", metrics, methods=["GET"])
    return app


async def _pulse(engines: SpeechEngines) -> None:
    """Notify systemd's watchdog from the event loop, unless the device hangs."""
    watchdog = Watchdog()
    while True:
        if engines.busy_seconds < STUCK_SECONDS:
            watchdog.pat()
        else:
            log.error("one batch has kept the device for %d s", engines.busy_seconds)
        await asyncio.sleep(PULSE_SECONDS)


async def health(request: Request) -> Response:
    """Tell whether the engines can work; 503 with the reasons if not."""
    engines: SpeechEngines = request.app.state.work.engines
    body: dict[str, Any] = {
        "status": "healthy",
        "models": {
            "transcription": shown_model(engines.transcriber.model_name),
            "diarization": (shown_model(engines.diarizer.model_name) if engines.diarizer else None),
        },
        "loaded": engines.is_loaded,
        "identities": dict(engines.identities),
    }
    if engines.notices:
        body |= {"status": "unhealthy", "notices": engines.notices}
    return JSONResponse(body, 503 if engines.notices else 200)


def metrics(request: Request) -> Response:
    """Serve metrics to a collector on this machine; 404 for everyone else."""
    if request.client is None or request.client.host not in LOCAL:
        return errors.answer(404, "Not Found")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
